// Torn tails and damage are told apart by what was known to be synced (rule 12).
import { expect, test } from 'vitest'
import type { LogRecord } from '../../src/log/record.ts'
import { DamageError, StorageRefusedError } from '../../src/log/log.ts'
import type { Storage } from '../../src/storage.ts'
import { foundIn } from './model.ts'
import {
  compacted,
  created,
  DIRECTORY,
  entries,
  hardState,
  head,
  key,
  logOf,
  replicaOf,
  Rig,
  settle,
} from './rig.ts'

const FIRST = `${DIRECTORY}/log/log-00000001.seg`
const BLOCK = 4096

/** Groups 1 and 2, in batches of their own, all of it known to be synced; then the process dies. */
async function twoGroups(): Promise<{ rig: Rig; expected: string[] }> {
  const rig = new Rig()
  const storage = await rig.open()
  await rig.put(storage, created(1), hardState(1, 2, 1))
  await rig.put(storage, created(2), hardState(2, 5, null))
  await rig.put(storage, entries(1, 1, 3, 2))
  await rig.put(storage, entries(2, 1, 2, 5))
  await rig.put(storage, hardState(2, 6, 2))
  await rig.idle()
  const expected = foundIn(await reopened(rig))
  return { rig, expected }
}

async function reopened(rig: Rig): Promise<Storage> {
  rig.world.crash({ powerLoss: false })
  const copy = rig.world
  rig.world = copy.copy()
  const storage = await rig.open()
  rig.world = copy
  return storage
}

/** Opens a copy of the disk that `hurt` has changed. */
async function openHurt(
  rig: Rig,
  hurt: (world: Rig['world']) => void,
): Promise<Storage | StorageRefusedError> {
  const intact = rig.world
  rig.world = intact.copy()
  hurt(rig.world)
  try {
    return await rig.open()
  } catch (error) {
    if (error instanceof StorageRefusedError) return error
    throw error
  } finally {
    rig.world = intact
  }
}

test('G2: a byte flipped anywhere in what was synced never gives a live replica with another log', async () => {
  const { rig, expected } = await twoGroups()
  const bytes = rig.world.readFile(FIRST)
  // Every byte that is not zero, and some of the zeros among and behind them.
  const isNear = (at: number): boolean =>
    bytes.subarray(Math.max(0, at - 24), at + 25).some((byte) => byte !== 0)
  const written = [...bytes.keys()].filter((at) => bytes[at] !== 0 || (at % 5 === 0 && isNear(at)))
  expect(written.length).toBeGreaterThan(500)
  const outcomes = { refused: 0, condemned: 0, harmless: 0 }
  for (const at of written) {
    const storage = await openHurt(rig, (world) => world.flipBits(FIRST, at, 1 << (at % 8)))
    if (storage instanceof StorageRefusedError) {
      outcomes.refused += 1
      continue
    }
    const lines = foundIn(storage)
    const voting = lines.filter((_, index) => storage.replicas[index]?.log.state === 'live')
    expect(expected).toEqual(expect.arrayContaining(voting))
    expect(storage.damage === null ? lines.length : 2).toBe(2)
    outcomes[storage.replicas.some(({ log }) => log.state === 'condemned') ? 'condemned' : 'harmless'] += 1
  }
  // Harmless are the hard states, of which there are two copies, the padding, and the marker, which nothing follows.
  expect(outcomes.condemned).toBeGreaterThan(200)
}, 60_000)

test('G2: damage in a batch condemns the replicas that its header names, and no other', async () => {
  const { rig } = await twoGroups()
  const at = rig.world
    .readFile(FIRST)
    .findIndex((_, index, all) => Buffer.from(all).toString('latin1', index, index + 4) === '3/2 ')
  const storage = await openHurt(rig, (world) => world.flipBits(FIRST, at, 4))
  if (storage instanceof StorageRefusedError) throw storage
  expect(replicaOf(storage, 1)).toMatchObject({
    state: 'condemned',
    reason: expect.stringContaining('damaged'),
  })
  expect(replicaOf(storage, 2)?.state).toBe('live')
  expect(logOf(storage, 2)).toEqual(['1/5', '2/5'])
})

test('a hard state is written in two blocks: losing either loses nothing', async () => {
  const rig = new Rig()
  const storage = await rig.open()
  await rig.put(storage, created(1))
  const before = storage.log.syncedPosition % 2 ** 32
  await rig.put(storage, hardState(1, 7, 3))
  await rig.idle()
  rig.world.crash({ powerLoss: true })
  for (const at of [before + 64 + 12 + 30, before + BLOCK + 30]) {
    const hurt = await openHurt(rig, (world) => world.flipBits(FIRST, at, 0xff))
    if (hurt instanceof StorageRefusedError) throw hurt
    expect(replicaOf(hurt, 1)).toMatchObject({ state: 'live', hardState: { currentTerm: 7, votedFor: 3 } })
  }
})

test('an unreadable header condemns every replica of the node, and is not forgotten', async () => {
  const { rig } = await twoGroups()
  rig.world.flipBits(FIRST, 3 * BLOCK, 1)
  const storage = await rig.open()
  expect(storage.replicas.map(({ log }) => log.state)).toEqual(['condemned', 'condemned'])
  expect(storage.damage).toContain('cannot be read')
  // Their successors are not condemned by the same damage, read again.
  await rig.put(storage, { kind: 'removed', ...key(1) }, created(1, 2), entries(1, 1, 1, 1, 10, 2))
  await rig.idle()
  for (let boot = 0; boot < 2; boot += 1) {
    rig.world.crash({ powerLoss: true })
    const again = await rig.open()
    expect(replicaOf(again, 1)).toMatchObject({ state: 'live', incarnation: 2 })
    expect(replicaOf(again, 2)?.state).toBe('condemned')
    expect(again.damage).toContain('cannot be read')
  }
})

test('a condemned replica stays condemned', async () => {
  const rig = new Rig()
  const storage = await rig.open()
  await rig.put(storage, created(1), { kind: 'condemned', ...key(1), reason: 'its state differs' })
  for (let boot = 0; boot < 2; boot += 1) {
    rig.world.crash({ powerLoss: true })
    expect(replicaOf(await rig.open(), 1)).toMatchObject({ state: 'condemned', reason: 'its state differs' })
  }
})

test('G1: a batch torn at any byte, of which nothing says that it was synced, is dropped, and the log goes on', async () => {
  const rig = new Rig()
  const first = await rig.open()
  await rig.put(first, created(1), entries(1, 1, 2, 1))
  await rig.idle()
  const start = first.log.syncedPosition % 2 ** 32
  first.log.append(entries(1, 3, 4, 1, 300))
  first.log.append(hardState(1, 3, 1))
  first.log.flush()
  rig.world.crash({ powerLoss: false })
  const whole = rig.world
  const bytes = whole.readFile(FIRST)
  const used = bytes.findLastIndex((byte) => byte !== 0) + 1
  for (let cut = start; cut < used; cut += cut < start + 110 || cut > used - 20 ? 1 : 101) {
    rig.world = whole.copy()
    for (let at = cut; at < used; at += 1) rig.world.flipBits(FIRST, at, bytes[at] ?? 0)
    const second = await rig.open()
    expect(replicaOf(second, 1)?.state).toBe('live')
    const kept = logOf(second, 1)
    const { currentTerm } = replicaOf(second, 1)?.hardState ?? {}
    const isWhole = currentTerm === 3
    expect(kept).toEqual(isWhole ? ['1/1', '2/1', '3/1', '4/1'] : ['1/1', '2/1'])
    await rig.put(second, entries(1, 3, 3, 5))
    for (let boot = 0; boot < 2; boot += 1) {
      rig.world.crash({ powerLoss: boot === 0 })
      expect(logOf(await rig.open(), 1)).toEqual(['1/1', '2/1', '3/5'])
    }
  }
}, 60_000)

test('G1: what lay behind a torn tail never comes back as entries (the residue of a write-ahead log)', async () => {
  const rig = new Rig({ segmentBytes: 16 * 1024 * 1024 })
  const first = await rig.open()
  await rig.put(first, created(1), entries(1, 1, 9, 4))
  await rig.idle()
  const start = first.log.syncedPosition % 2 ** 32
  // Two batches of one sync that never ends; of the first, power loss keeps nothing.
  first.log.append(entries(1, 10, 10, 4, 3 * 1024 * 1024))
  first.log.append(entries(1, 11, 11, 4, 3 * 1024 * 1024))
  first.log.flush()
  expect(first.log.stats.batches).toBeGreaterThanOrEqual(3)
  rig.world.crash({ powerLoss: false })
  for (let at = start; at < start + BLOCK; at += 1) rig.world.flipBits(FIRST, at, 0xa5)
  const second = await rig.open()
  expect(logOf(second, 1).at(-1)).toBe('9/4')
  await rig.put(second, entries(1, 10, 10, 5, 3 * 1024 * 1024))
  rig.world.crash({ powerLoss: false })
  const third = await rig.open()
  expect(logOf(third, 1).slice(-2)).toEqual(['9/4', '10/5'])
})

test('G11: a write that landed elsewhere is damage where it is missing and not believed where it is', async () => {
  const rig = new Rig()
  const storage = await rig.open()
  await rig.put(storage, created(1), entries(1, 1, 1, 1))
  rig.world.misdirectNextWrite(4 * BLOCK)
  await rig.put(storage, entries(1, 2, 2, 1))
  await rig.put(storage, entries(1, 3, 3, 1))
  await rig.idle()
  rig.world.crash({ powerLoss: true })
  const second = await rig.open()
  expect(replicaOf(second, 1)?.state).toBe('condemned')
  expect(second.damage).not.toBeNull()
})

test('entries that rot while the log is open are a DamageError', async () => {
  const rig = new Rig()
  const first = await rig.open()
  await rig.put(first, created(1), entries(1, 1, 3, 1))
  await rig.idle()
  rig.world.crash({ powerLoss: true })
  const second = await rig.open()
  const file = rig.segments()[0] ?? ''
  const at = Buffer.from(rig.world.readFile(file)).indexOf('2/1 2/1')
  rig.world.flipBits(file, at, 1)
  expect(() => second.log.entries(1, 1, 3, 1000)).toThrow(DamageError)
})

test('a lost segment condemns, or refuses where nothing is left', async () => {
  const rig = new Rig()
  const storage = await rig.open()
  await rig.put(storage, created(1), created(2))
  for (let index = 1; index <= 12; index += 1) {
    await rig.put(storage, entries(1, index, index, 1, 12_000))
    await rig.idle()
  }
  rig.world.crash({ powerLoss: true })
  const segments = rig.segments()
  expect(segments.length).toBeGreaterThan(3)
  const used = segments.filter((file) => rig.world.readFile(file).some((byte) => byte !== 0))
  for (const file of used) {
    const hurt = await openHurt(rig, (world) => world.lose(file))
    if (hurt instanceof StorageRefusedError) throw hurt
    expect(hurt.replicas.map(({ log }) => log.state)).not.toContain('live')
    expect(hurt.damage).not.toBeNull()
  }
  const refused = await openHurt(rig, (world) => segments.forEach((file) => world.lose(file)))
  expect(refused).toMatchObject({ code: 'DAMAGED' })
})

test('a checkpoint that names a log position beyond what is readable is damage', async () => {
  const rig = new Rig()
  const storage = await rig.open()
  await rig.put(storage, created(1), entries(1, 1, 3, 1))
  rig.content.checkpointPosition = storage.log.syncedPosition
  rig.world.crash({ powerLoss: false })
  const at = (storage.log.syncedPosition % 2 ** 32) - BLOCK
  const intact = await openHurt(rig, () => {})
  const hurt = await openHurt(rig, (world) => world.flipBits(FIRST, at + 100, 1))
  if (intact instanceof StorageRefusedError || hurt instanceof StorageRefusedError) throw new Error('refused')
  expect(replicaOf(intact, 1)?.state).toBe('live')
  expect(replicaOf(hurt, 1)?.state).toBe('condemned')
})

test('C5: a compaction point that the state store does not cover condemns', async () => {
  const open = async (change: (rig: Rig) => void): Promise<Storage> => {
    const rig = new Rig()
    const storage = await rig.open()
    const point: LogRecord = compacted(1, 4, 1, 2)
    await rig.put(storage, created(1), created(2), entries(1, 1, 5, 1), point)
    rig.content.checkpointNumber = 2
    rig.content.heads = [head(1, 5), head(2, 0)]
    change(rig)
    rig.world.crash({ powerLoss: true })
    return rig.open()
  }
  const states = async (change: (rig: Rig) => void): Promise<string[]> =>
    (await open(change)).replicas.map(({ log }) => log.state)
  expect(await states(() => {})).toEqual(['live', 'live'])
  expect(await states((rig) => void (rig.content.checkpointNumber = 1))).toEqual(['condemned', 'condemned'])
  expect(await states((rig) => void (rig.content.heads = [head(1, 3)]))).toEqual(['condemned', 'live'])
  expect(await states((rig) => void (rig.content.heads = []))).toEqual(['condemned', 'live'])
  expect(await states((rig) => void (rig.content.damage = 'a gap'))).toEqual(['condemned', 'condemned'])
  expect(await states((rig) => void (rig.content.damagedGroups = [2]))).toEqual(['live', 'condemned'])
  expect(await states((rig) => void rig.content.heads.push(head(3, 1)))).toEqual([
    'live',
    'live',
    'condemned',
  ])
  await settle()
})
