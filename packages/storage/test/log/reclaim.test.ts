// Reclamation never deletes what somebody still needs (A4), and nobody can keep everything for ever.
import { expect, test } from 'vitest'
import { REWRITE_RUNS_MAX } from '../../src/log/limits.ts'
import { toWriteAgain } from '../../src/log/reclaim.ts'
import { ReplicaLog } from '../../src/log/replica-log.ts'
import { createRun } from '../../src/log/run.ts'
import type { Storage } from '../../src/storage.ts'
import {
  compacted,
  created,
  DIRECTORY,
  entries,
  entry,
  hardState,
  head,
  key,
  logOf,
  replicaOf,
  Rig,
} from './rig.ts'

/** Appends to group 2 what fills about one segment for every 5 entries, compacting behind it. */
async function churn(rig: Rig, storage: Storage, from: number, to: number, compacting = true): Promise<void> {
  for (let index = from; index <= to; index += 1) {
    await rig.put(storage, entries(2, index, index, 1, 12_000))
    if (!compacting || index % 5 !== 0) continue
    rig.content.checkpointNumber += 1
    rig.content.checkpointPosition = storage.log.syncedPosition
    rig.content.heads = [...rig.content.heads.filter(({ group }) => group !== 2), head(2, index)]
    await rig.put(storage, compacted(2, index, 1, rig.content.checkpointNumber))
  }
  await rig.idle()
}

test('A4: a quiet group keeps its term, vote, tombstone and compaction point when its segments are gone', async () => {
  const rig = new Rig()
  const storage = await rig.open()
  rig.content.checkpointNumber = 1
  rig.content.heads = [head(1, 3)]
  await rig.put(storage, created(1), hardState(1, 9, 2), entries(1, 1, 3, 9), compacted(1, 3, 9, 1))
  await rig.put(storage, created(2), created(3, 4), { kind: 'removed', ...key(3, 4) })
  await churn(rig, storage, 1, 60)
  expect(rig.world.paths()).not.toContain(`${DIRECTORY}/log/log-00000001.seg`)
  expect(storage.log.stats.segments).toBeLessThan(6)
  for (let boot = 0; boot < 2; boot += 1) {
    rig.world.crash({ powerLoss: true })
    const again = await rig.open()
    expect(replicaOf(again, 1)).toMatchObject({
      state: 'live',
      hardState: { currentTerm: 9, votedFor: 2 },
      compacted: { index: 3, term: 9, checkpoint: 1, configurationIndex: 1 },
      lastIndex: 3,
    })
    expect(Buffer.from(replicaOf(again, 1)?.initialConfiguration ?? []).toString()).toBe('configuration of 1')
    expect(replicaOf(again, 3)).toMatchObject({ state: 'removed', incarnation: 4 })
    expect(again.log.stats.segments).toBeLessThan(8)
  }
})

test('G7: no segment goes before the preamble that replaces it is synced: whichever sync fails, a power loss then loses nothing', async () => {
  let failures = 0
  const untilSyncFails = async (nth: number): Promise<Rig> => {
    const rig = new Rig({ seed: nth })
    const storage = await rig.open()
    await rig.put(storage, created(1), hardState(1, 9, 2), created(2))
    rig.world.failNext('sync', nth, 'EIO')
    for (let from = 1; from <= 30 && rig.failures.length === 0; from += 5)
      await churn(rig, storage, from, from + 4)
    return rig
  }
  let rig = await untilSyncFails(1)
  while (rig.failures.length > 0) {
    failures += 1
    rig.world.crash({ powerLoss: true })
    const again = await rig.open()
    expect(again.damage).toBeNull()
    expect(again.replicas.map(({ log }) => log.state)).toEqual(['live', 'live'])
    expect(replicaOf(again, 1)?.hardState).toEqual({ currentTerm: 9, votedFor: 2 })
    rig = await untilSyncFails(failures + 1)
  }
  expect(failures).toBeGreaterThan(40)
  expect(rig.world.paths()).not.toContain(`${DIRECTORY}/log/log-00000001.seg`)
}, 60_000)

test('a group that cannot compact has its few records written again, so that the log stays bounded', async () => {
  const rig = new Rig()
  const storage = await rig.open()
  await rig.put(
    storage,
    created(1),
    entries(1, 1, 3, 1),
    entries(1, 4, 6, 1),
    entries(1, 5, 7, 2),
    created(2),
  )
  const expected = logOf(storage, 1)
  await churn(rig, storage, 1, 120)
  expect(storage.log.stats.segments).toBeLessThan(9)
  expect(rig.world.paths()).not.toContain(`${DIRECTORY}/log/log-00000001.seg`)
  expect(logOf(storage, 1)).toEqual(expected)
  for (let boot = 0; boot < 2; boot += 1) {
    rig.world.crash({ powerLoss: true })
    const again = await rig.open()
    expect(replicaOf(again, 1)?.state).toBe('live')
    expect(logOf(again, 1)).toEqual(expected)
  }
})

test('C6: a truncation or a compaction at the moment when older entries of the group are written again undoes neither', async () => {
  const changes = [
    { records: [entries(1, 5, 7, 2)], left: ['1/1', '2/1', '3/1', '4/1', '5/2', '6/2', '7/2'] },
    { records: [compacted(1, 4, 1, 1)], left: ['5/1', '6/1'] },
    { records: [compacted(1, 4, 1, 1), entries(1, 6, 6, 3)], left: ['5/1', '6/3'] },
  ]
  let writtenAgain = 0
  for (const { records, left } of changes) {
    // Each time a little earlier or later than the roll of the log that writes them again.
    for (let at = 12; at <= 32; at += 1) {
      const rig = new Rig({ retainBytes: 1 })
      const storage = await rig.open()
      rig.content.checkpointNumber = 1
      rig.content.heads = [head(1, 4)]
      await rig.put(storage, created(1), entries(1, 1, 6, 1), created(2))
      await churn(rig, storage, 1, at)
      for (const record of records) storage.log.append(record)
      await churn(rig, storage, at + 1, at + 8)
      if (!rig.world.paths().includes(`${DIRECTORY}/log/log-00000001.seg`)) writtenAgain += 1
      const first = Number(left[0]?.split('/')[0])
      const live = storage.log.entries(1, first, first + 9, Number.MAX_SAFE_INTEGER)
      expect(
        live?.map(({ index, term }) => `${index}/${term}`),
        `changed behind ${at}`,
      ).toEqual(left)
      rig.world.crash({ powerLoss: true })
      expect(logOf(await rig.open(), 1), `changed behind ${at}, after a crash`).toEqual(left)
    }
  }
  expect(writtenAgain).toBeGreaterThan(30)
})

test('the log asks for compaction where it grows beyond what it should retain, the oldest holder first', async () => {
  const rig = new Rig({ retainBytes: 128 * 1024 })
  const storage = await rig.open()
  await rig.put(storage, created(1), created(2), created(3), entries(3, 1, 2, 1))
  expect(storage.log.compactionWanted()).toEqual([])
  await churn(rig, storage, 1, 10, false)
  await churn(rig, storage, 11, 20, false)
  await rig.put(storage, entries(1, 1, 1, 1))
  const wanted = storage.log.compactionWanted()
  expect(wanted.map(({ group }) => group)).toEqual([2, 3])
  expect(wanted[0]?.index).toBeGreaterThan(3)
  expect(wanted[0]?.index).toBeLessThan(15)
  expect(wanted[1]?.index).toBe(2)
})

test('segments go strictly oldest first, and the oldest that a preamble needs is there after every crash', async () => {
  const rig = new Rig()
  const storage = await rig.open()
  await rig.put(storage, created(2))
  const unlinked: string[] = []
  rig.world.onBoundary = (operation, path) => {
    if (operation === 'unlink' && path.endsWith('.seg')) unlinked.push(path)
  }
  await churn(rig, storage, 1, 80)
  expect(unlinked.length).toBeGreaterThan(5)
  expect(unlinked).toEqual(unlinked.toSorted())
})

test('a prepared segment of an earlier boot is discarded and its number never used again', async () => {
  const rig = new Rig()
  const seen = new Set<string>()
  for (let boot = 0; boot < 4; boot += 1) {
    const made: string[] = []
    rig.world.onBoundary = (operation, path) => {
      if (operation === 'create' && path.endsWith('.seg')) made.push(path)
    }
    await rig.open()
    await rig.idle()
    expect(made).toHaveLength(2)
    for (const file of made) {
      expect(seen).not.toContain(file)
      seen.add(file)
    }
    rig.world.crash({ powerLoss: boot % 2 === 0 })
  }
})

test('records of more than the quarter of a segment that nobody compacts leave the oldest segment in several steps', async () => {
  const rig = new Rig()
  const storage = await rig.open()
  await rig.put(storage, created(1), created(2))
  for (let index = 1; index <= 5; index += 1) await rig.put(storage, entries(1, index, index, 1, 8000))
  await rig.put(storage, { kind: 'condemned', ...key(1), reason: 'diverged' })
  const expected = logOf(storage, 1)
  await churn(rig, storage, 1, 100)
  const segments = storage.log.stats.segments
  await churn(rig, storage, 101, 300)
  expect(storage.log.stats.segments).toBeLessThanOrEqual(segments + 4)
  expect(storage.log.stats.segments).toBeLessThan(16)
  expect(logOf(storage, 1)).toEqual(expected)
  rig.world.crash({ powerLoss: true })
  const again = await rig.open()
  expect(replicaOf(again, 1)).toMatchObject({ state: 'condemned', reason: 'diverged' })
  expect(logOf(again, 1)).toEqual(expected)
})

test('however many records keep the oldest segment, one roll of the log writes a bounded number of them again', () => {
  const replica = new ReplicaLog(key(1), new Uint8Array(0))
  for (let index = 1; index <= 3 * REWRITE_RUNS_MAX; index += 1) {
    replica.runs.push(createRun([entry(index, 1)], { segment: 1, offset: index * 4096, bytes: 100 }))
  }
  const file = new Rig().world.disk.create('/unused')
  const segments = [1, 2].map((number) => ({ number, file, end: 64 * 1024 * 1024 }))
  const chosen = toWriteAgain([replica], segments, 1, 16 * 1024 * 1024)
  expect(chosen).toHaveLength(REWRITE_RUNS_MAX)
  expect(chosen.at(-1)?.run.firstIndex).toBe(REWRITE_RUNS_MAX)
  for (const { run } of chosen) run.moving = true
  expect(toWriteAgain([replica], segments, 1, 16 * 1024 * 1024)[0]?.run.firstIndex).toBe(REWRITE_RUNS_MAX + 1)
  // Where all of the log is needed nothing is copied.
  const full = segments.map((segment) => ({ ...segment, end: 1024 * 1024 }))
  expect(toWriteAgain([replica], full, 1, 16 * 1024 * 1024)).toEqual([])
})
