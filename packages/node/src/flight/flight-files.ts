// Recordings in the data directory: the newest few, each synced before its name is told.
import type { Disk } from '@quorate/runtime'

export const FLIGHT_DIRECTORY = 'flight'
/** A recording is for a person who comes soon; older ones make room. */
const FILES_MAX = 16
/** What has to be free for each byte of a recording: space is for the log and for checkpoints. */
const FREE_FACTOR = 4

export class FlightFiles {
  readonly #disk: Disk
  readonly #dataDirectory: string
  readonly #directory: string
  readonly #isLow: () => boolean

  /** `isLow`: writes are refused, as space is short. */
  constructor(disk: Disk, dataDirectory: string, isLow: () => boolean) {
    this.#disk = disk
    this.#dataDirectory = dataDirectory
    this.#directory = `${dataDirectory}/${FLIGHT_DIRECTORY}`
    this.#isLow = isLow
  }

  /** `name` sorts by age. Resolves with the path; rejects where space is short, and then leaves nothing behind. */
  async write(name: string, bytes: Uint8Array): Promise<string> {
    const path = `${this.#directory}/${name}`
    if (this.#isLow() || this.#disk.freeBytes(this.#dataDirectory) < FREE_FACTOR * bytes.length)
      throw new Error(`too little space is free for a recording of ${bytes.length} bytes`)
    this.#disk.makeDirectory(this.#directory)
    const file = this.#disk.create(path)
    let isWhole = false
    try {
      file.write([bytes], 0)
      await file.datasync()
      isWhole = true
    } finally {
      file.close()
      if (!isWhole) this.#disk.unlink(path)
    }
    await this.#disk.syncDirectory(this.#directory)
    const names = this.#disk.list(this.#directory)
    for (const old of names.slice(0, Math.max(0, names.length - FILES_MAX)))
      this.#disk.unlink(`${this.#directory}/${old}`)
    return path
  }
}
