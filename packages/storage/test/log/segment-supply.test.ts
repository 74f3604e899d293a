// How many zeros are written before the log needs them.
import { createMemoryDisk, type Disk } from '@quorate/runtime'
import { expect, test } from 'vitest'
import { SegmentSupply } from '../../src/log/segment-supply.ts'

const MIB = 1024 * 1024

/** A disk that keeps nothing of what is written but its length. */
function measuringDisk(): Disk {
  const { disk } = createMemoryDisk()
  return {
    ...disk,
    create: () => ({
      size: () => 0,
      write: () => {},
      read: () => new Uint8Array(0),
      datasync: async () => {},
      close: () => {},
    }),
    syncDirectory: async () => {},
  }
}

test('segments behind the first one of a boot double until they are whole, so that a restart writes few zeros', async () => {
  const made: number[] = []
  const ready: (() => void)[] = []
  const supply = new SegmentSupply({
    disk: measuringDisk(),
    directory: '/log',
    segmentBytes: 40 * MIB,
    firstNumber: 7,
    releaseSpace: () => false,
    ready: () => ready.shift()?.(),
    noSpace: () => {},
    failed: (error) => {
      throw error
    },
  })
  for (let at = 0; at < 5; at += 1) {
    const next = new Promise<void>((resolve) => ready.push(resolve))
    const taken = supply.take()
    if (taken !== null) made.push(taken.bytes / MIB)
    await next
  }
  await supply.close()
  expect(made).toEqual([8, 16, 32, 40])
})
