// A data directory is taken for what it is, or refused.
import { expect, test } from 'vitest'
import { DamageError, StorageRefusedError } from '../../src/log/log.ts'
import { created, DIRECTORY, hardState, replicaOf, Rig } from './rig.ts'

const NODE = `${DIRECTORY}/node.json`

test('each boot takes the next number, durably, before it opens anything else', async () => {
  const rig = new Rig()
  expect((await rig.open()).identity).toMatchObject({ format: 1, boot: 1, clusterId: null, name: 'n1' })
  rig.world.crash({ powerLoss: true })
  const { identity } = await rig.open()
  expect(identity.boot).toBe(2)
  expect(identity.dirId).toMatch(/^[0-9a-f]{32}$/)
})

test('A8: a directory with a log and no node.json is refused', async () => {
  const rig = new Rig()
  await rig.put(await rig.open(), created(1), hardState(1, 5, 1))
  rig.world.crash({ powerLoss: true })
  rig.world.lose(NODE)
  await expect(rig.open()).rejects.toMatchObject({ code: 'DAMAGED' })
})

test('A8: a node.json with any byte changed is refused, or says what it said', async () => {
  const rig = new Rig()
  const before = (await rig.open()).identity
  rig.world.crash({ powerLoss: true })
  const intact = rig.world
  for (let at = 0; at < intact.sizeOf(NODE); at += 1) {
    rig.world = intact.copy()
    rig.world.flipBits(NODE, at, 1)
    const outcome = await rig.open().then(
      ({ identity }) => identity,
      (error: unknown) => error,
    )
    const same = { format: 1, dirId: before.dirId, clusterId: null, name: 'n1', boot: 2 }
    expect(outcome instanceof StorageRefusedError ? same : outcome).toEqual(same)
  }
})

test('A8, A11: a log that is gone is not a new log', async () => {
  const rig = new Rig()
  await rig.put(await rig.open(), created(1), hardState(1, 5, 1))
  rig.world.crash({ powerLoss: true })
  for (const file of rig.segments()) rig.world.lose(file)
  await expect(rig.open()).rejects.toMatchObject({ code: 'DAMAGED' })
})

test('a directory is open once', async () => {
  const rig = new Rig()
  const storage = await rig.open()
  await expect(rig.open()).rejects.toMatchObject({ code: 'IN_USE' })
  await storage.close()
  await expect(rig.open()).resolves.toBeDefined()
})

test('the state store of another directory is refused', async () => {
  const rig = new Rig()
  await (await rig.open()).close()
  rig.content.dirId = 'f'.repeat(32)
  await expect(rig.open()).rejects.toMatchObject({ code: 'WRONG_IDS' })
})

test('a cluster is adopted once, durably', async () => {
  const rig = new Rig()
  const storage = await rig.open()
  await storage.adoptCluster('c1')
  await storage.adoptCluster('c1')
  await expect(storage.adoptCluster('c2')).rejects.toMatchObject({ code: 'WRONG_IDS' })
  rig.world.crash({ powerLoss: true })
  expect((await rig.open()).identity.clusterId).toBe('c1')
})

test('C7, G8: a small file is the old one or the new one after a crash at every boundary', async () => {
  for (let crashAt = 1; crashAt <= 8; crashAt += 1) {
    for (const powerLoss of [false, true]) {
      const rig = new Rig({ seed: crashAt })
      const storage = await rig.open()
      await storage.writeFile('map', Buffer.from('old'))
      let boundaries = 0
      rig.world.onBoundary = () => {
        boundaries += 1
        if (boundaries === crashAt) rig.world.crash({ powerLoss })
      }
      const written = await Promise.race([
        storage.writeFile('map', Buffer.from('new content')).then(
          () => true,
          () => false,
        ),
        rig.time.advance(1).then(() => false),
      ])
      rig.world.onBoundary = null
      rig.world.crash({ powerLoss: true })
      const found = Buffer.from((await rig.open()).readFile('map') ?? []).toString()
      expect(written ? ['new content'] : ['old', 'new content']).toContain(found)
    }
  }
})

test('a small file that rots is a DamageError, one that is missing is null', async () => {
  const rig = new Rig()
  const storage = await rig.open()
  expect(storage.readFile('map')).toBeNull()
  await storage.writeFile('map', Buffer.from('content'))
  rig.world.flipBits(`${DIRECTORY}/map`, 6, 1)
  expect(() => storage.readFile('map')).toThrow(DamageError)
  expect(() => storage.readFile('../map')).toThrow(RangeError)
  expect(() => storage.readFile('node.json')).toThrow(RangeError)
})

test('an older copy of the directory comes up with a lower boot number and log position than it told before', async () => {
  const rig = new Rig()
  await rig.put(await rig.open(), created(1))
  rig.world.crash({ powerLoss: true })
  const older = rig.world.copy()
  const storage = await rig.open()
  rig.world = older
  const restored = await rig.open()
  expect(restored.identity.boot).toBe(storage.identity.boot)
  expect(restored.log.syncedPosition).toBeLessThanOrEqual(storage.log.syncedPosition)
  expect(replicaOf(restored, 1)?.state).toBe('live')
})
