// Segments as files: their names, their open handles, and the next one that is always ready.
import path from 'node:path'
import type { Disk, DiskFile } from '@quorate/runtime'
import { SEGMENT_MAX } from './position.ts'

const NAME = /^log-(\d{8})\.seg$/

export function segmentName(segment: number): string {
  return `log-${String(segment).padStart(8, '0')}.seg`
}

/** Numbers of the segments in `directory`, ascending. */
export function listSegments(disk: Disk, directory: string): number[] {
  return disk
    .list(directory)
    .flatMap((name) => {
      const digits = NAME.exec(name)?.[1]
      return digits === undefined ? [] : [Number(digits)]
    })
    .filter((segment) => segment >= 1 && segment <= SEGMENT_MAX)
    .toSorted((a, b) => a - b)
}

/** A segment of the log, oldest first in the set. */
export interface Segment {
  readonly number: number
  readonly file: DiskFile
  /** End of what counts in it: grows in the newest one only. */
  end: number
}

/** The segments that the log consists of. */
export class SegmentFiles {
  readonly directory: string
  readonly #disk: Disk
  readonly #segments: Segment[] = []

  constructor(disk: Disk, directory: string) {
    this.#disk = disk
    this.directory = directory
  }

  get all(): readonly Segment[] {
    return this.#segments
  }

  get(segment: number): Segment | undefined {
    return this.#segments.find(({ number }) => number === segment)
  }

  add(segment: Segment): void {
    this.#segments.push(segment)
  }

  pathOf(segment: number): string {
    return path.join(this.directory, segmentName(segment))
  }

  /** Deletes the oldest segment; its name is gone for good when the promise resolves. */
  async deleteOldest(): Promise<void> {
    const oldest = this.#segments.shift()
    if (oldest === undefined) return
    oldest.file.close()
    this.#disk.unlink(this.pathOf(oldest.number))
    await this.#disk.syncDirectory(this.directory)
  }

  closeAll(): void {
    for (const segment of this.#segments) segment.file.close()
  }
}
