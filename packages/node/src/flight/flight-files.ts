// Recordings in the data directory: the newest few, each synced before its name is told.
import type { Disk } from '@quorate/runtime'

export const FLIGHT_DIRECTORY = 'flight'
/** A recording is for a person who comes soon; older ones make room. */
const FILES_MAX = 16

export class FlightFiles {
  readonly #disk: Disk
  readonly #directory: string

  constructor(disk: Disk, dataDirectory: string) {
    this.#disk = disk
    this.#directory = `${dataDirectory}/${FLIGHT_DIRECTORY}`
  }

  /** `name` sorts by age. Resolves with the path. */
  async write(name: string, bytes: Uint8Array): Promise<string> {
    const path = `${this.#directory}/${name}`
    this.#disk.makeDirectory(this.#directory)
    const file = this.#disk.create(path)
    try {
      file.write([bytes], 0)
      await file.datasync()
    } finally {
      file.close()
    }
    await this.#disk.syncDirectory(this.#directory)
    const names = this.#disk.list(this.#directory)
    for (const old of names.slice(0, Math.max(0, names.length - FILES_MAX)))
      this.#disk.unlink(`${this.#directory}/${old}`)
    return path
  }
}
