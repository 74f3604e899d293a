// A line that tells a person how far something is; nothing where nobody watches.
import type { CliContext } from './context.ts'

const everyMs = 250
const backAndErase = '\r\u001b[K'

export interface Progress {
  /** Takes the line away. */
  end(): void
}

/** Shows what `line` says, again and again, on standard error if that is a terminal; nothing for the first `afterMs`. */
export function showProgress({ err, screen }: CliContext, line: () => string, afterMs: number = 0): Progress {
  if (!screen.errIsTerminal) return { end: () => undefined }
  const start = performance.now()
  let shown = false
  const show = () => {
    if (performance.now() - start < afterMs) return
    shown = true
    err(`${backAndErase}${line().slice(0, screen.columns - 1)}`)
  }
  show()
  const timer = setInterval(show, everyMs)
  return {
    end: () => {
      clearInterval(timer)
      if (shown) err(backAndErase)
    },
  }
}
