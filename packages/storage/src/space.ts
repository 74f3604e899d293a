// Space is refused before it is missing (rule 15): how much is left, and what is given back when little is.
import path from 'node:path'
import type { Clock, Disk } from '@quorate/runtime'
import { BALLAST_BYTES, LOW_SPACE_BYTES, SPACE_CHECK_MS, ZERO_SLICE_BYTES } from './log/limits.ts'

export interface SpaceOptions {
  readonly disk: Disk
  readonly clock: Clock
  readonly directory: string
  readonly segmentBytes: number
}

export class Space {
  readonly #options: SpaceOptions
  readonly #ballast: string
  readonly #ballastBytes: number
  readonly #lowBytes: number
  #low = false
  #checkedAt: number = Number.NEGATIVE_INFINITY

  constructor(options: SpaceOptions) {
    this.#options = options
    this.#ballast = path.join(options.directory, 'ballast')
    this.#ballastBytes = Math.min(BALLAST_BYTES, options.segmentBytes)
    // On an image that never has so much room the limit is what the log itself needs.
    const roomy = options.disk.freeBytes(options.directory) >= 2 * LOW_SPACE_BYTES
    this.#lowBytes = roomy ? LOW_SPACE_BYTES : Math.min(LOW_SPACE_BYTES, 2 * options.segmentBytes)
  }

  /** Asks the file system at most once a second. */
  get isLow(): boolean {
    const now = this.#options.clock.monotonicMs()
    if (now - this.#checkedAt < SPACE_CHECK_MS) return this.#low
    this.#checkedAt = now
    const free = this.#options.disk.freeBytes(this.#options.directory)
    this.#low = free < this.#lowBytes
    // The next checkpoint will need it to free log: given back while it still helps.
    if (free < this.#ballastBytes) this.release()
    return this.#low
  }

  /** Before anything is written at a start: what the ballast was kept for has come. */
  makeRoom(): void {
    if (this.#options.disk.freeBytes(this.#options.directory) < this.#ballastBytes) this.release()
  }

  /** Gives the ballast back; false if there was none. */
  release(): boolean {
    this.#low = true
    this.#checkedAt = this.#options.clock.monotonicMs()
    const { disk } = this.#options
    if (!disk.exists(this.#ballast)) return false
    disk.unlink(this.#ballast)
    return true
  }

  /** Lays the ballast where there is room for it. It holds nothing, so that it may be left half made. */
  async keepBallast(): Promise<void> {
    const { disk, directory } = this.#options
    if (disk.exists(this.#ballast) || disk.freeBytes(directory) < this.#lowBytes + this.#ballastBytes) return
    const file = disk.create(this.#ballast)
    try {
      const zeros = Buffer.alloc(Math.min(ZERO_SLICE_BYTES, this.#ballastBytes))
      for (let at = 0; at < this.#ballastBytes; at += zeros.length) {
        file.write([zeros.subarray(0, Math.min(zeros.length, this.#ballastBytes - at))], at)
      }
      await file.datasync()
    } finally {
      file.close()
    }
    await disk.syncDirectory(directory)
  }
}
