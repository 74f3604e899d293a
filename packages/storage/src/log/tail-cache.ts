// The newest entries of all groups in memory, up to a limit.
import { ENTRY_COST_BYTES } from './limits.ts'
import type { Run } from './run.ts'

export class TailCache {
  readonly #bytesMax: number
  /** Those whose entries are in memory, oldest first. One that is dropped leaves at once, wherever it stands. */
  readonly #runs: Set<Run> = new Set()
  #bytes = 0

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
  }

  get bytes(): number {
    return this.#bytes
  }

  get runs(): number {
    return this.#runs.size
  }

  /** The run's entries are in memory from now on. */
  add(run: Run): void {
    this.#bytes += memoryBytes(run)
    this.#runs.add(run)
    this.trim()
  }

  /** The run left its log: nobody will ask for it again. */
  drop(run: Run): void {
    if (run.entries === null) return
    this.#runs.delete(run)
    this.#bytes -= memoryBytes(run)
    run.entries = null
  }

  /** What is not yet written has no other place and stays. */
  trim(): void {
    if (this.#bytes <= this.#bytesMax) return
    for (const run of this.#runs) {
      if (this.#bytes <= this.#bytesMax || run.place === null) return
      this.drop(run)
    }
  }
}

function memoryBytes(run: Run): number {
  let bytes = 0
  for (const entry of run.entries ?? []) bytes += ENTRY_COST_BYTES + entry.payload.byteLength
  return bytes
}
