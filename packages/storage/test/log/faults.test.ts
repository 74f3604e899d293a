// Errors of the disk: a failed write or sync ends all writing (rule 11), space is refused before it is missing (rule 15).
import { expect, test } from 'vitest'
import { created, entries, hardState, key, logOf, replicaOf, Rig, settle } from './rig.ts'

test('G3, G4, G5, G9: the nth write or sync fails: it is reported once, nothing more is written or acknowledged', async () => {
  let failed = 0
  for (const operation of ['write', 'sync'] as const) {
    for (let nth = 1; nth <= 30; nth += 1) {
      const rig = new Rig({ seed: nth })
      const storage = await rig.open()
      await settle()
      rig.world.failNext(operation, nth, 'EIO')
      for (let index = 0; index < 12 && rig.failures.length === 0; index += 1) {
        storage.log.append(index === 0 ? created(1) : entries(1, index, index, 1, 9000))
        storage.log.flush()
        await settle()
      }
      const acknowledged = rig.syncedTicket
      const writes: string[] = []
      rig.world.onBoundary = (what) => void writes.push(what)
      // Where the failure has not come yet, it comes now or not at all.
      const failedBefore = rig.failures.length === 1
      storage.log.append(hardState(1, 1, null))
      storage.log.flush()
      await rig.time.advance(1000)
      await storage.close()
      rig.world.onBoundary = null
      expect(failedBefore ? writes : []).toEqual([])
      expect(failedBefore ? rig.syncedTicket : acknowledged).toBe(acknowledged)
      expect(rig.failures.length).toBeLessThanOrEqual(1)
      failed += rig.failures.length
      rig.world.crash({ powerLoss: true })
      // Without the failure, should it not have come yet.
      rig.world = rig.world.copy()
      const again = await rig.open()
      expect(logOf(again, 1).length).toBeGreaterThanOrEqual(acknowledged - 1)
      expect(again.replicas.every(({ log }) => log.state === 'live')).toBe(true)
    }
  }
  expect(failed).toBeGreaterThan(25)
}, 60_000)

test('a sync that fails while the directory is opened rejects and leaves nothing open', async () => {
  for (let nth = 1; nth <= 3; nth += 1) {
    const rig = new Rig()
    rig.world.failNext('sync', nth, 'EIO')
    await expect(rig.open()).rejects.toThrow(/EIO/)
    rig.world.crash({ powerLoss: true })
    rig.content.dirId = null
    await expect(rig.open()).resolves.toBeDefined()
  }
})

test('G10: low space is told before it is missing, and the log goes on for what it has prepared', async () => {
  const rig = new Rig({ capacityBytes: 8 * 64 * 1024 })
  const storage = await rig.open()
  await rig.put(storage, created(1))
  expect(storage.lowOnSpace).toBe(false)
  let index = 0
  while (!storage.lowOnSpace) {
    index += 1
    await rig.put(storage, entries(1, index, index, 1, 12_000))
    await rig.time.advance(1001)
    expect(rig.failures).toEqual([])
    expect(index).toBeLessThan(60)
  }
  // What is refused to clients is still open to the log: deletes, membership, terms.
  await rig.put(storage, entries(1, index + 1, index + 1, 1, 5000), hardState(1, 2, 1))
  expect(rig.failures).toEqual([])
  rig.world.capacityBytes *= 4
  await rig.time.advance(1001)
  expect(storage.lowOnSpace).toBe(false)
})

test('G10: ENOSPC that reaches the log ends it, and every acknowledged record is there when there is space again', async () => {
  const rig = new Rig({ capacityBytes: 8 * 64 * 1024 })
  const storage = await rig.open()
  await rig.put(storage, created(1))
  for (let index = 1; rig.failures.length === 0; index += 1) {
    await rig.put(storage, entries(1, index, index, 1, 12_000))
    expect(index).toBeLessThan(60)
  }
  expect(rig.failures).toHaveLength(1)
  expect(String(rig.failures[0])).toContain('no space')
  const acknowledged = rig.syncedTicket - 1
  rig.world.crash({ powerLoss: true })
  await expect(rig.open()).rejects.toMatchObject({ code: 'NO_SPACE' })
  rig.world.capacityBytes *= 4
  rig.world.crash({ powerLoss: true })
  expect(logOf(await rig.open(), 1)).toHaveLength(acknowledged)
})

test('the ballast is given back so that a segment can still be made', async () => {
  const rig = new Rig({ capacityBytes: 9 * 64 * 1024 })
  const storage = await rig.open()
  await settle()
  expect(rig.world.paths().filter((path) => path.endsWith('ballast'))).toHaveLength(1)
  await rig.put(storage, created(1))
  for (let index = 1; index <= 34 && rig.failures.length === 0; index += 1) {
    await rig.put(storage, entries(1, index, index, 1, 12_000))
  }
  expect(rig.world.paths().filter((path) => path.endsWith('ballast'))).toHaveLength(0)
})

test('A15: how long a write or sync has been in flight is told', async () => {
  const rig = new Rig()
  const storage = await rig.open()
  await rig.idle()
  expect(storage.log.stats.busySince).toBeNull()
  storage.log.append(created(1))
  storage.log.flush()
  expect(storage.log.stats.busySince).toBe(rig.time.nowMs)
  await settle()
  expect(storage.log.stats.busySince).toBeNull()
})

test('a replica that was condemned is left out of what a later removal and creation make', async () => {
  const rig = new Rig()
  const storage = await rig.open()
  await rig.put(storage, created(1), { kind: 'condemned', ...key(1), reason: 'diverged' })
  await rig.put(storage, created(1, 2), entries(1, 1, 1, 1, 10, 2))
  rig.world.crash({ powerLoss: true })
  expect(replicaOf(await rig.open(), 1)).toMatchObject({ state: 'live', incarnation: 2, lastIndex: 1 })
})

test('G10: starts that fail for want of space leave no files behind that take more of it', async () => {
  const rig = new Rig({ capacityBytes: 8 * 64 * 1024 })
  const storage = await rig.open()
  await rig.put(storage, created(1))
  for (let index = 1; rig.failures.length === 0; index += 1) {
    await rig.put(storage, entries(1, index, index, 1, 12_000))
    expect(index).toBeLessThan(60)
  }
  rig.world.crash({ powerLoss: false })
  const segments = rig.segments()
  for (let start = 0; start < 3; start += 1) {
    await expect(rig.open()).rejects.toMatchObject({ code: 'NO_SPACE' })
    expect(rig.segments()).toEqual(segments)
    rig.world.crash({ powerLoss: false })
  }
})
