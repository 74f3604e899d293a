import { expect, test } from 'vitest'
import { created, entries, entry, hardState, key, logOf, replicaOf, Rig, settle } from './rig.ts'

test('what was synced is there after a crash, for every group', async () => {
  const rig = new Rig()
  const first = await rig.open()
  await rig.put(first, created(1), hardState(1, 3, 2), entries(1, 1, 5, 3))
  await rig.put(first, created(2), entries(2, 1, 2, 1), hardState(2, 1, null))
  expect(rig.syncedTicket).toBe(6)
  rig.world.crash({ powerLoss: true })
  const second = await rig.open()
  expect(replicaOf(second, 1)).toMatchObject({
    state: 'live',
    hardState: { currentTerm: 3, votedFor: 2 },
    lastIndex: 5,
    terms: [{ firstIndex: 1, term: 3 }],
    lastStamp: 53,
  })
  expect(logOf(second, 1)).toEqual(['1/3', '2/3', '3/3', '4/3', '5/3'])
  expect(logOf(second, 2)).toEqual(['1/1', '2/1'])
  expect(second.identity.boot).toBe(2)
  expect(second.log.syncedPosition).toBeGreaterThan(first.log.syncedPosition)
})

test('nothing is on disk, and nothing is acknowledged, before flush', async () => {
  const rig = new Rig()
  const storage = await rig.open()
  storage.log.append(created(1))
  await settle()
  expect(rig.syncedTicket).toBe(0)
  expect(storage.log.entries(1, 1, 1, 100)).toBeNull()
})

test('records that arrive during a sync go down together with the next one', async () => {
  const rig = new Rig()
  const storage = await rig.open()
  storage.log.append(created(1))
  storage.log.flush()
  const syncs = storage.log.stats.syncs
  for (let index = 1; index <= 50; index += 1) {
    storage.log.append(entries(1, index, index, 1))
    storage.log.flush()
  }
  await settle()
  expect(rig.syncedTicket).toBe(51)
  expect(storage.log.stats.syncs - syncs).toBe(1)
})

test('entries are cut by their bytes and never empty, null outside the log', async () => {
  const rig = new Rig()
  const storage = await rig.open()
  storage.log.append(created(1))
  storage.log.append(entries(1, 1, 9, 1, 100))
  expect(storage.log.entries(1, 2, 9, 250)?.map(({ index }) => index)).toEqual([2, 3])
  expect(storage.log.entries(1, 2, 9, 1)?.map(({ index }) => index)).toEqual([2])
  expect(storage.log.entries(1, 10, 12, 100)).toBeNull()
  expect(storage.log.entries(2, 1, 1, 100)).toBeNull()
})

test('B8, B9: an append at index i drops what the group has at i and above, in memory and after a crash', async () => {
  const rig = new Rig()
  const storage = await rig.open()
  await rig.put(storage, created(1), entries(1, 1, 4, 1), entries(1, 5, 8, 1))
  await rig.put(storage, entries(1, 3, 5, 2))
  const expected = ['1/1', '2/1', '3/2', '4/2', '5/2']
  expect(logOf(storage, 1)).toEqual(expected)
  rig.world.crash({ powerLoss: true })
  const second = await rig.open()
  expect(logOf(second, 1)).toEqual(expected)
  expect(replicaOf(second, 1)?.terms).toEqual([
    { firstIndex: 1, term: 1 },
    { firstIndex: 3, term: 2 },
  ])
})

test('a record larger than a segment is kept', async () => {
  const rig = new Rig()
  const storage = await rig.open()
  await rig.put(storage, created(1), entries(1, 1, 1, 1))
  await rig.put(storage, entries(1, 2, 2, 1, 1024 * 1024))
  await rig.idle()
  await rig.put(storage, entries(1, 3, 3, 1))
  await rig.idle()
  expect(rig.failures).toEqual([])
  rig.world.crash({ powerLoss: true })
  const second = await rig.open()
  expect(logOf(second, 1)).toEqual(['1/1', '2/1', '3/1'])
  const [large] = second.log.entries(1, 2, 2, 1) ?? []
  expect(Buffer.compare(large?.payload ?? Buffer.alloc(0), entry(2, 1, 1024 * 1024).payload)).toBe(0)
})

test('a removed replica leaves a tombstone, and only a higher incarnation may follow it', async () => {
  const rig = new Rig()
  const storage = await rig.open()
  await rig.put(storage, created(1, 5), entries(1, 1, 3, 1, 10, 5), { kind: 'removed', ...key(1, 5) })
  expect(() => storage.log.append(created(1, 5))).toThrow(/behind incarnation/)
  expect(() => storage.log.append(entries(1, 4, 4, 1, 10, 5))).toThrow(/removed/)
  rig.world.crash({ powerLoss: true })
  const second = await rig.open()
  expect(replicaOf(second, 1)).toMatchObject({ state: 'removed', incarnation: 5, lastIndex: 0 })
  await rig.put(second, created(1, 6), hardState(1, 1, null, 6))
  rig.world.crash({ powerLoss: true })
  expect(replicaOf(await rig.open(), 1)).toMatchObject({ state: 'live', incarnation: 6 })
})

test('A1: a term that goes back and a vote that changes are programming mistakes', async () => {
  const rig = new Rig()
  const storage = await rig.open()
  await rig.put(storage, created(1), hardState(1, 4, 2))
  expect(() => storage.log.append(hardState(1, 3, null))).toThrow(/term goes back/)
  expect(() => storage.log.append(hardState(1, 4, 3))).toThrow(/vote of term 4 changes/)
  expect(() => storage.log.append(hardState(1, 4, null))).toThrow(/vote of term 4 changes/)
})

test('a gap between entries is a programming mistake', async () => {
  const storage = await new Rig().open()
  storage.log.append(created(1))
  expect(() => storage.log.append(entries(1, 2, 2, 1))).toThrow(/does not follow/)
  expect(() => storage.log.append(entries(2, 1, 1, 1))).toThrow(/unknown/)
})

test('an orderly close syncs what is queued', async () => {
  const rig = new Rig()
  const storage = await rig.open()
  storage.log.append(created(1))
  storage.log.append(entries(1, 1, 3, 1))
  await storage.close()
  expect(rig.syncedTicket).toBe(2)
  const second = await rig.open()
  expect(logOf(second, 1)).toEqual(['1/1', '2/1', '3/1'])
})

test('an orderly close ends although something is appended while it waits, and nobody flushes it', async () => {
  for (const isMarked of [false, true])
    for (let turns = 0; turns < 8; turns += 1) {
      const rig = new Rig()
      const storage = await rig.open()
      await rig.put(storage, created(1))
      // By then an idle log has said in a marker how far it is synced.
      if (isMarked) await rig.idle()
      let closed = false
      void storage.close().then(() => {
        closed = true
      })
      for (let turn = 0; turn < turns; turn += 1) await Promise.resolve()
      let refused = ''
      try {
        storage.log.append(entries(1, 1, 1, 1))
      } catch (error) {
        refused = String(error)
      }
      expect(refused === '' || refused.includes('the log is closed')).toBe(true)
      await settle()
      expect(closed).toBe(true)
    }
})
