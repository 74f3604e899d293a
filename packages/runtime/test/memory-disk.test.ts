// The faults of the memory disk: what it loses, when, and that it loses nothing else.
import { expect, test } from 'vitest'
import { createMemoryDisk, createSeededRandom, type MemoryDisk } from '../src/index.ts'

function text(world: MemoryDisk, file: string): string {
  return Buffer.from(world.readFile(file)).toString()
}

async function synced(world: MemoryDisk, name: string, content: string): Promise<void> {
  const file = world.disk.create(name)
  file.write([Buffer.from(content)], 0)
  await file.datasync()
  await world.disk.syncDirectory('/')
}

test('a process crash keeps what was written, a power loss after it may not', async () => {
  const world = createMemoryDisk()
  await synced(world, '/a', 'synced')
  world.disk.open('/a').write([Buffer.from('WRITTEN')], 0)
  world.crash({ powerLoss: false })
  expect(text(world, '/a')).toBe('WRITTEN')
  world.crash({ powerLoss: true })
  expect(text(world, '/a')).toBe('synced')
})

test('a power loss keeps any subset of unsynced sectors', async () => {
  const outcomes = new Set<string>()
  for (let seed = 1; seed <= 200; seed += 1) {
    const world = createMemoryDisk({ random: createSeededRandom(seed) })
    await synced(world, '/a', '.'.repeat(1024))
    world.disk.open('/a').write([Buffer.from('x'.repeat(1024))], 0)
    world.crash({ powerLoss: true })
    outcomes.add(text(world, '/a').replace(/(.)\1+/g, '$1'))
  }
  expect([...outcomes].toSorted()).toEqual(['.', '.x', 'x', 'x.'])
})

test('a name counts only after its directory is synced (G8)', async () => {
  const world = createMemoryDisk()
  await synced(world, '/a', 'a')
  const file = world.disk.create('/b')
  file.write([Buffer.from('b')], 0)
  await file.datasync()
  world.disk.unlink('/a')
  world.crash({ powerLoss: true })
  expect(world.paths()).toEqual(['/a'])
  world.disk.rename('/a', '/c')
  await world.disk.syncDirectory('/')
  world.crash({ powerLoss: true })
  expect(world.paths()).toEqual(['/c'])
})

test('a sync covers the writes before it and no later one', async () => {
  const world = createMemoryDisk()
  await synced(world, '/a', '....')
  const file = world.disk.open('/a')
  file.write([Buffer.from('1')], 0)
  const first = file.datasync()
  file.write([Buffer.from('2')], 1)
  await first
  world.crash({ powerLoss: true })
  expect(text(world, '/a')).toBe('1...')
})

test('after a failed sync the pages look clean: the next sync succeeds and writes nothing of them (G4)', async () => {
  const world = createMemoryDisk()
  await synced(world, '/a', '....')
  const file = world.disk.open('/a')
  file.write([Buffer.from('lost')], 0)
  world.failNext('sync', 1, 'EIO')
  await expect(file.datasync()).rejects.toMatchObject({ code: 'EIO' })
  await file.datasync()
  expect(text(world, '/a')).toBe('lost')
  world.crash({ powerLoss: true })
  expect(text(world, '/a')).toBe('....')
})

test('the dead process can do nothing more, and its syncs never end', async () => {
  const world = createMemoryDisk()
  const { disk } = world
  const file = disk.create('/a')
  disk.lock('/lock')
  let ended = false
  void file.datasync().then(() => (ended = true))
  world.crash({ powerLoss: false })
  expect(() => file.write([Buffer.from('x')], 0)).toThrow(/dead/)
  expect(() => disk.list('/')).toThrow(/dead/)
  await Promise.resolve()
  await Promise.resolve()
  expect(ended).toBe(false)
  world.disk.lock('/lock').release()
})

test('a crash at a boundary comes before the operation', () => {
  const world = createMemoryDisk()
  const file = world.disk.create('/a')
  const seen: string[] = []
  world.onBoundary = (operation, path) => {
    seen.push(`${operation} ${path}`)
    world.crash({ powerLoss: false })
  }
  expect(() => file.write([Buffer.from('x')], 0)).toThrow(/dead/)
  expect(seen).toEqual(['write /a'])
  expect(world.sizeOf('/a')).toBe(0)
})

test('runs out of space, and has it again', () => {
  const world = createMemoryDisk({ capacityBytes: 10 })
  const file = world.disk.create('/a')
  file.write([Buffer.alloc(8)], 0)
  expect(world.disk.freeBytes('/')).toBe(2)
  expect(() => file.write([Buffer.alloc(4)], 8)).toThrow(/no space/)
  file.write([Buffer.alloc(8)], 0)
  world.disk.unlink('/a')
  expect(world.disk.freeBytes('/')).toBe(10)
})

test('hurts files as asked: flipped bits, a misdirected write, a lost file, another copy', () => {
  const world = createMemoryDisk()
  const file = world.disk.create('/a')
  world.misdirectNextWrite(2)
  file.write([Buffer.from('ab')], 0)
  file.write([Buffer.from('c')], 0)
  expect([...world.readFile('/a')]).toEqual([99, 0, 97, 98])
  const copy = world.copy()
  world.flipBits('/a', 0, 1)
  expect([...world.readFile('/a')]).toEqual([98, 0, 97, 98])
  expect([...copy.readFile('/a')]).toEqual([99, 0, 97, 98])
  world.lose('/a')
  world.crash({ powerLoss: true })
  expect(world.paths()).toEqual([])
})

test('syncs take the time that the timers are asked for, and end in any order', async () => {
  const due: { at: number; callback: () => void }[] = []
  const timers = {
    after: (at: number, callback: () => void) => {
      due.push({ at, callback })
      return { cancel: () => {} }
    },
    endOfTurn: (callback: () => void) => callback(),
  }
  const world = createMemoryDisk({ timers, random: createSeededRandom(3), syncLatencyMs: [1, 3000] })
  const ended: string[] = []
  for (const name of ['/a', '/b', '/c', '/d']) {
    const file = world.disk.create(name)
    void file.datasync().then(() => ended.push(name))
  }
  expect(due.every(({ at }) => at >= 1 && at <= 3000)).toBe(true)
  for (const { callback } of due.toSorted((a, b) => a.at - b.at)) callback()
  await Promise.resolve()
  await Promise.resolve()
  await Promise.resolve()
  expect(ended.toSorted()).toEqual(['/a', '/b', '/c', '/d'])
  expect(ended).not.toEqual(['/a', '/b', '/c', '/d'])
})
