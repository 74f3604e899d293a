// Where the launcher is, and how to write a command that a shell reads back as it was meant.
import { fileURLToPath } from 'node:url'

/** `bin/quorate.js` of this package; the same from `src` and from `dist`. */
export const binPath: string = fileURLToPath(new URL('../bin/quorate.js', import.meta.url))

export function shellCommand(words: readonly string[]): string {
  return words
    .map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`))
    .join(' ')
}
