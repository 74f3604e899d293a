// The event trace of a run: everything delivered folds into one hash; what a reader wants to see goes to a sink.
import { createHash, type Hash } from 'node:crypto'

/** Lines are hashed in blocks: one native call per event would be the most expensive part of the simulator. */
const BLOCK_CHARACTERS = 16_384

export interface TraceLine {
  readonly timeMs: number
  /** Node or client the line belongs to; `world` for faults. */
  readonly process: string
  readonly text: string
}

export class Trace {
  readonly #hash: Hash = createHash('sha256')
  readonly #sink: ((line: TraceLine) => void) | undefined
  #block = ''
  #events = 0

  constructor(sink?: (line: TraceLine) => void) {
    this.#sink = sink
  }

  get events(): number {
    return this.#events
  }

  /** An event was delivered. The digest tells two events of one kind apart, for instance by the bytes of a frame. */
  event(timeMs: number, process: string, kind: string, digest: number): void {
    this.#events += 1
    this.#fold(`${timeMs} ${process} ${kind} ${digest}\n`)
  }

  /** Something that a reader of the run wants to know; part of the hash as well. */
  note(timeMs: number, process: string, text: string): void {
    this.#fold(`${timeMs} ${process} ${text}\n`)
    this.#sink?.({ timeMs, process, text })
  }

  /** Ends the trace. */
  digest(): string {
    this.#hash.update(this.#block, 'latin1')
    this.#block = ''
    return this.#hash.digest('hex').slice(0, 32)
  }

  #fold(text: string): void {
    this.#block += text
    if (this.#block.length < BLOCK_CHARACTERS) return
    this.#hash.update(this.#block, 'latin1')
    this.#block = ''
  }
}
