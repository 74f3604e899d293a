// What of a batch is believed when it is read back.
import { expect, test } from 'vitest'
import { BatchBuilder, readBatch, readHeader } from '../../src/log/batch.ts'
import { seedOf } from '../../src/log/checksum.ts'
import { entries } from './rig.ts'

const BLOCK = 4096

test('G11: of a batch no record is believed that was written elsewhere, also where it fits', () => {
  const dirId = new Uint8Array(16).fill(7)
  const identity = { dirId, seed: seedOf(dirId) }
  const builder = new BatchBuilder(identity)
  const place = (segment: number, offset: number, term: number): { bytes: Uint8Array; second: number } => {
    const records = [entries(1, 1, 1, term), entries(1, 2, 2, term)]
    const plan = { segment, offset, opensSegment: false, syncedUpTo: 0, firstSegment: 0, records }
    const { bytes, offsets } = builder.build(plan)
    return { bytes: Buffer.from(bytes), second: (offsets[1] ?? 0) - offset }
  }
  const believed = (here: { segment: number; offset: number }, intruder: Uint8Array | null): boolean => {
    const { bytes, second } = place(here.segment, here.offset, 4)
    const file = Buffer.concat([Buffer.alloc(here.offset), bytes])
    if (intruder !== null) file.set(intruder.subarray(second), here.offset + second)
    const header = readHeader(file, here.segment, here.offset, identity)
    return header !== null && readBatch(file, header, identity) !== null
  }
  const here = { segment: 2, offset: BLOCK }
  expect(believed(here, null)).toBe(true)
  expect(believed(here, place(2, BLOCK, 3).bytes)).toBe(true)
  expect(believed(here, place(2, 3 * BLOCK, 3).bytes)).toBe(false)
  expect(believed(here, place(1, BLOCK, 3).bytes)).toBe(false)
})
