// What the log needs of its surroundings.
import type { Clock, Disk, Timers } from '@quorate/runtime'
import type { LogPosition } from './log.ts'

export interface LogOptions {
  readonly disk: Disk
  readonly clock: Clock
  readonly timers: Timers
  /** Where the segments lie. */
  readonly directory: string
  readonly segmentBytes: number
  readonly retainBytes: number
  readonly onSynced: (ticket: number, position: LogPosition) => void
  readonly onFailure: (error: Error) => void
  /** The log goes on in a new segment and is synced up to here: to be remembered outside of it. */
  readonly onSegment: (position: LogPosition) => void
  /** Space ran out: gives back what was kept for that; false if nothing was left. */
  readonly releaseSpace: () => boolean
}
