// Applies a mutant to the text of its file.
import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import type { Mutant } from './mutant.ts'

/** The mutated text. Throws where the patch no longer fits: its text must occur exactly once. */
export function patch(text: string, { name, file, original, replacement }: Mutant): string {
  const at = text.indexOf(original)
  if (at < 0) throw new Error(`"${name}" no longer fits: its text is not in ${file}`)
  if (text.includes(original, at + 1)) throw new Error(`"${name}" does not fit: its text is in ${file} twice`)
  return text.slice(0, at) + replacement + text.slice(at + original.length)
}

/** Why mutants do not fit the sources in `packages`, a line each. */
export function misfits(packages: string, mutants: readonly Mutant[]): string[] {
  return mutants.flatMap((mutant) => {
    const missing = [mutant.file, ...mutant.tests].filter((file) => !existsSync(path.join(packages, file)))
    if (missing.length > 0) return [`"${mutant.name}" names ${missing.join(' ')}, which does not exist`]
    try {
      patch(readFileSync(path.join(packages, mutant.file), 'utf8'), mutant)
      return []
    } catch (error) {
      return [error instanceof Error ? error.message : String(error)]
    }
  })
}
