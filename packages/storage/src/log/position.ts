// Places in the log: segment number and offset in one safe integer.
import type { LogPosition } from './log.ts'

const OFFSETS = 2 ** 32
/** 2^21 segments of 64 MiB each are 128 TiB written. */
export const SEGMENT_MAX: number = 2 ** 21 - 1

export function positionOf(segment: number, offset: number): LogPosition {
  return segment * OFFSETS + offset
}

export function segmentOf(position: LogPosition): number {
  return Math.floor(position / OFFSETS)
}

export function offsetOf(position: LogPosition): number {
  return position % OFFSETS
}
