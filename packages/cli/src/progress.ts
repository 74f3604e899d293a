// A line that tells a person how far something is; nothing where nobody watches.
import type { CliContext } from './context.ts'

const everyMs = 250
const backAndErase = '\r\u001b[K'

export interface Progress {
  /** Takes the line away. */
  end(): void
}

/** Shows what `line` says, again and again, on standard error if that is a terminal. */
export function showProgress({ err, screen }: CliContext, line: () => string): Progress {
  if (!screen.errIsTerminal) return { end: () => undefined }
  const show = () => err(`${backAndErase}${line().slice(0, screen.columns - 1)}`)
  show()
  const timer = setInterval(show, everyMs)
  return {
    end: () => {
      clearInterval(timer)
      err(backAndErase)
    },
  }
}
