// The newest entries of all groups in memory, up to a limit.
import { ENTRY_COST_BYTES } from './limits.ts'
import type { Run } from './run.ts'

export class TailCache {
  readonly #bytesMax: number
  /** Oldest first; a run whose entries were dropped meanwhile stays until it comes out. */
  #runs: Run[] = []
  #oldest = 0
  #bytes = 0

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
  }

  get bytes(): number {
    return this.#bytes
  }

  /** The run's entries are in memory from now on. */
  add(run: Run): void {
    this.#bytes += memoryBytes(run)
    this.#runs.push(run)
    this.trim()
  }

  /** The run left its log: nobody will ask for it again. */
  drop(run: Run): void {
    if (run.entries === null) return
    this.#bytes -= memoryBytes(run)
    run.entries = null
  }

  /** What is not yet written has no other place and stays. */
  trim(): void {
    while (this.#bytes > this.#bytesMax) {
      const run = this.#runs[this.#oldest]
      if (run === undefined || (run.entries !== null && run.place === null)) break
      this.drop(run)
      this.#oldest += 1
    }
    if (this.#oldest * 2 < this.#runs.length || this.#oldest < 64) return
    this.#runs = this.#runs.slice(this.#oldest)
    this.#oldest = 0
  }
}

function memoryBytes(run: Run): number {
  let bytes = 0
  for (const entry of run.entries ?? []) bytes += ENTRY_COST_BYTES + entry.payload.byteLength
  return bytes
}
