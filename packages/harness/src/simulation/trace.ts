// The event trace of a run: everything delivered folds into one hash; what a reader wants to see goes to a sink.
import { createHash, type Hash } from 'node:crypto'

/** Events are hashed in blocks: one native call for each would be the most expensive part of the simulator. */
const BLOCK_BYTES = 65_536
/** Time f64, process u16, kind u16, digest u32. */
const EVENT_BYTES = 16
/** In place of a process where text follows: time f64, this, 0 u16, length u32, the text. */
const TEXT = 0xffff
const NAMES_MAX = TEXT

export interface TraceLine {
  readonly timeMs: number
  /** Node or client the line belongs to; `world` for faults. */
  readonly process: string
  readonly text: string
}

export class Trace {
  readonly #hash: Hash = createHash('sha256')
  readonly #sink: ((line: TraceLine) => void) | undefined
  readonly #block: Buffer = Buffer.alloc(BLOCK_BYTES)
  readonly #view: DataView = new DataView(this.#block.buffer, this.#block.byteOffset, BLOCK_BYTES)
  #filled = 0
  /** Processes and kinds of events by number: each is folded as text where it is first seen. */
  readonly #names = new Map<string, number>()
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
    const processName = this.#nameOf(process)
    this.#put(timeMs, processName, this.#nameOf(kind), digest)
  }

  /** Something told that is no event of the queue; part of the hash only. */
  text(timeMs: number, process: string, text: string): void {
    const bytes = Buffer.from(`${process} ${text}`)
    this.#put(timeMs, TEXT, 0, bytes.length)
    this.#flush()
    this.#hash.update(bytes)
  }

  /** Something that a reader of the run wants to know; part of the hash as well. */
  note(timeMs: number, process: string, text: string): void {
    this.text(timeMs, process, text)
    this.#sink?.({ timeMs, process, text })
  }

  /** Ends the trace. */
  digest(): string {
    this.#flush()
    return this.#hash.digest('hex').slice(0, 32)
  }

  #nameOf(text: string): number {
    const known = this.#names.get(text)
    if (known !== undefined) return known
    const name = this.#names.size
    if (name === NAMES_MAX) throw new Error(`too many names in a trace: ${text}`)
    this.#names.set(text, name)
    this.text(0, text, '')
    return name
  }

  #put(timeMs: number, process: number, kind: number, digest: number): void {
    if (this.#filled + EVENT_BYTES > BLOCK_BYTES) this.#flush()
    const at = this.#filled
    this.#view.setFloat64(at, timeMs, true)
    this.#view.setUint16(at + 8, process, true)
    this.#view.setUint16(at + 10, kind, true)
    this.#view.setUint32(at + 12, digest, true)
    this.#filled = at + EVENT_BYTES
  }

  #flush(): void {
    if (this.#filled > 0) this.#hash.update(this.#block.subarray(0, this.#filled))
    this.#filled = 0
  }
}
