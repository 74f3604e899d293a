// Space is refused before it is missing (rule 15, G10).
import { createMemoryDisk, type MemoryDisk } from '@quorate/runtime'
import { expect, test } from 'vitest'
import { LOW_SPACE_BYTES, SPACE_CHECK_MS } from '../src/log/limits.ts'
import { Space } from '../src/space.ts'

const SEGMENT_BYTES = 64 * 1024

interface World {
  readonly disk: MemoryDisk
  readonly space: Space
  /** Low or not, with that much free, asked after the pause between two questions. */
  readonly isLowWith: (freeBytes: number) => boolean
  readonly askAtOnce: (freeBytes: number) => boolean
}

function worldOf(capacityBytes: number): World {
  const disk = createMemoryDisk({ capacityBytes })
  disk.disk.makeDirectory('/data')
  let now = 0
  const clock = { monotonicMs: () => now, wallMs: () => 0 }
  const space = new Space({ disk: disk.disk, clock, directory: '/data', segmentBytes: SEGMENT_BYTES })
  const askAtOnce = (freeBytes: number): boolean => {
    disk.capacityBytes = disk.usedBytes + freeBytes
    return space.isLow
  }
  const isLowWith = (freeBytes: number): boolean => {
    now += SPACE_CHECK_MS
    return askAtOnce(freeBytes)
  }
  return { disk, space, isLowWith, askAtOnce }
}

test('G10: a disk is full below 1 GiB, and not any more when there is room again', () => {
  const { isLowWith } = worldOf(4 * LOW_SPACE_BYTES)
  expect(isLowWith(LOW_SPACE_BYTES)).toBe(false)
  expect(isLowWith(LOW_SPACE_BYTES - 1)).toBe(true)
  expect(isLowWith(LOW_SPACE_BYTES)).toBe(false)
})

test('G10: an image that never has so much room is full below two segments', () => {
  const { isLowWith } = worldOf(20 * SEGMENT_BYTES)
  expect(isLowWith(2 * SEGMENT_BYTES)).toBe(false)
  expect(isLowWith(2 * SEGMENT_BYTES - 1)).toBe(true)
})

test('the file system is asked once a second', () => {
  const { isLowWith, askAtOnce } = worldOf(20 * SEGMENT_BYTES)
  expect(isLowWith(3 * SEGMENT_BYTES)).toBe(false)
  expect(askAtOnce(SEGMENT_BYTES)).toBe(false)
  expect(isLowWith(SEGMENT_BYTES)).toBe(true)
})

test('the ballast is given back as soon as less than it is free', async () => {
  const { disk, space, isLowWith } = worldOf(20 * SEGMENT_BYTES)
  await space.keepBallast()
  expect(disk.paths()).toEqual(['/data/ballast'])
  expect(isLowWith(SEGMENT_BYTES)).toBe(true)
  expect(disk.paths()).toEqual(['/data/ballast'])
  expect(isLowWith(SEGMENT_BYTES - 1)).toBe(true)
  expect(disk.paths()).toEqual([])
  expect(space.release()).toBe(false)
})
