// Ctrl-C and SIGTERM for commands that run until they are stopped.

/** Through npm one Ctrl-C arrives twice, 3 ms apart, so what follows sooner than this is no second wish. */
const repeatMs = 1000

export interface StopHandlers {
  /** The first signal: end in order. */
  readonly stop: (signal: NodeJS.Signals) => void
  /** A further Ctrl-C, at least a second later: end now. */
  readonly force: () => void
}

/** Returns what each signal does; `nowMs` is a monotonic clock. */
export function stopSignals(
  { stop, force }: StopHandlers,
  nowMs: () => number,
): (signal: NodeJS.Signals) => void {
  let first: number | null = null
  return (signal) => {
    if (first === null) {
      first = nowMs()
      stop(signal)
    } else if (signal === 'SIGINT' && nowMs() - first >= repeatMs) force()
  }
}

export function onStopSignals(handlers: StopHandlers): void {
  const handle = stopSignals(handlers, () => performance.now())
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, handle)
}
