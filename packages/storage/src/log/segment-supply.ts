// The next segment: created, filled with zeros, synced with its name, before the log needs it.
import { type Disk, DiskError, type DiskFile } from '@quorate/runtime'
import { BOOT_SEGMENT_BYTES, ZERO_SLICE_BYTES } from './limits.ts'
import { segmentName } from './segment-files.ts'

export interface PreparedSegment {
  readonly number: number
  readonly file: DiskFile
  readonly bytes: number
}

export interface SegmentSupplyOptions {
  readonly disk: Disk
  readonly directory: string
  readonly segmentBytes: number
  readonly firstNumber: number
  /** Space ran out while a segment was made: gives back what can be given back, says whether there was anything. */
  readonly releaseSpace: () => boolean
  readonly ready: () => void
  /** There is no space for one; `refill` tries again. */
  readonly noSpace: () => void
  readonly failed: (error: Error) => void
}

/**
 * Keeps one segment in stock. Blocks that exist are what makes a sync cheap (Node has no fallocate), and an empty disk is
 * noticed here, a whole segment before a record would have met it.
 */
export class SegmentSupply {
  readonly #options: SegmentSupplyOptions
  #next: number
  /** Of the next one: twice the last, up to a whole segment, so that a boot writes few zeros before it has much to log. */
  #bytes: number
  #prepared: PreparedSegment | null = null
  #working: Promise<void> | null = null
  #closed = false

  constructor(options: SegmentSupplyOptions) {
    this.#options = options
    this.#next = options.firstNumber
    this.#bytes = Math.min(options.segmentBytes, 2 * BOOT_SEGMENT_BYTES)
  }

  /** Takes the prepared segment and begins the next one; null if it is not ready (then `ready` tells). */
  take(): PreparedSegment | null {
    const taken = this.#prepared
    this.#prepared = null
    this.refill()
    return taken
  }

  /** Begins to make a segment unless there is one or one is being made. */
  refill(): void {
    if (this.#closed || this.#prepared !== null || this.#working !== null) return
    this.#working = this.#prepare().then(
      (prepared) => {
        this.#working = null
        if (prepared === 'noSpace') return this.#options.noSpace()
        this.#prepared = prepared
        this.#options.ready()
      },
      (error: unknown) => {
        this.#working = null
        if (!this.#closed) this.#options.failed(error instanceof Error ? error : new Error(String(error)))
      },
    )
  }

  /** A segment in stock stays behind as a file of zeros: the next boot discards it. */
  async close(): Promise<void> {
    this.#closed = true
    await this.#working
    this.#prepared?.file.close()
    this.#prepared = null
  }

  async #prepare(): Promise<PreparedSegment | 'noSpace'> {
    const { disk, directory, segmentBytes, releaseSpace } = this.#options
    for (;;) {
      const number = this.#next
      this.#next += 1
      try {
        const made = await makeSegment(disk, directory, number, this.#bytes, () => this.#closed)
        this.#bytes = Math.min(segmentBytes, 2 * this.#bytes)
        return made
      } catch (error) {
        // Nothing was promised about this file yet: a new one is no retry of a failed write. A failed sync is final.
        if (!(error instanceof DiskError && error.code === 'ENOSPC')) throw error
        const file = `${directory}/${segmentName(number)}`
        if (disk.exists(file)) disk.unlink(file)
        if (!releaseSpace()) return 'noSpace'
      }
    }
  }
}

/**
 * A file of zeros whose blocks exist and whose name is durable. `isAbandoned` is asked between slices: then what there is
 * stays behind, and the promise rejects.
 */
export async function makeSegment(
  disk: Disk,
  directory: string,
  number: number,
  bytes: number,
  isAbandoned: () => boolean = () => false,
): Promise<PreparedSegment> {
  const file = disk.create(`${directory}/${segmentName(number)}`)
  try {
    const zeros = Buffer.alloc(Math.min(bytes, ZERO_SLICE_BYTES))
    for (let at = 0; at < bytes; at += zeros.length) {
      if (isAbandoned()) throw new Error(`segment ${number} is not needed any more`)
      file.write([zeros.subarray(0, Math.min(zeros.length, bytes - at))], at)
      await file.datasync().catch(failedSync)
    }
    await disk.syncDirectory(directory).catch(failedSync)
    return { number, file, bytes }
  } catch (error) {
    file.close()
    throw error
  }
}

/** No longer an error of a code: whatever made a sync fail, it is not tried again. */
function failedSync(cause: unknown): never {
  throw new Error(`a new segment could not be synced: ${String(cause)}`, { cause })
}
