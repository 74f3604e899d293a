// One suite for every disk: the real one and its memory twin keep the same promises.
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { createMemoryDisk, createRealDisk, type Disk, DiskError } from '../src/index.ts'

const made: string[] = []
const disks: readonly [string, () => { disk: Disk; root: string }][] = [
  [
    'the real disk',
    () => {
      const root = fs.mkdtempSync(path.join(os.tmpdir(), 'quorate-disk-'))
      made.push(root)
      return { disk: createRealDisk(), root }
    },
  ],
  ['the memory disk', () => ({ disk: createMemoryDisk().disk, root: '/' })],
]

afterAll(() => {
  for (const root of made) fs.rmSync(root, { recursive: true, force: true })
})

function codeOf(run: () => unknown): string {
  try {
    run()
  } catch (error) {
    return error instanceof DiskError ? error.code : String(error)
  }
  return 'none'
}

describe.each(disks)('%s', (_name, make) => {
  test('writes several buffers at a position and reads them back, short at the end of the file', async () => {
    const { disk, root } = make()
    const file = disk.create(path.join(root, 'a'))
    file.write([Buffer.from('abc'), new Uint8Array(0), Buffer.from('def')], 5)
    await file.datasync()
    expect(file.size()).toBe(11)
    expect([...file.read(3, 4)]).toEqual([0, 0, 97, 98])
    expect(Buffer.from(file.read(8, 100)).toString()).toBe('def')
    expect(file.read(11, 5)).toHaveLength(0)
    file.write([Buffer.from('XY')], 6)
    expect(Buffer.from(file.read(5, 6)).toString()).toBe('aXYdef')
    file.close()
  })

  test('creates only what is not there and opens only what is', () => {
    const { disk, root } = make()
    const name = path.join(root, 'a')
    expect(codeOf(() => disk.open(name))).toBe('ENOENT')
    disk.create(name).close()
    expect(codeOf(() => disk.create(name))).toBe('EEXIST')
    expect(disk.exists(name)).toBe(true)
    expect(disk.open(name).size()).toBe(0)
    expect(codeOf(() => disk.create(path.join(root, 'missing', 'a')))).toBe('ENOENT')
  })

  test('lists names sorted, directories too', () => {
    const { disk, root } = make()
    disk.makeDirectory(path.join(root, 'd', 'e'))
    disk.makeDirectory(path.join(root, 'd', 'e'))
    for (const name of ['c', 'a', 'b']) disk.create(path.join(root, 'd', name)).close()
    expect(disk.list(path.join(root, 'd'))).toEqual(['a', 'b', 'c', 'e'])
    expect(codeOf(() => disk.list(path.join(root, 'missing')))).toBe('ENOENT')
  })

  test('a rename replaces, and an open handle outlives its name', async () => {
    const { disk, root } = make()
    const [from, to] = [path.join(root, 'new'), path.join(root, 'old')]
    const old = disk.create(to)
    old.write([Buffer.from('old')], 0)
    const fresh = disk.create(from)
    fresh.write([Buffer.from('new')], 0)
    disk.rename(from, to)
    await disk.syncDirectory(root)
    expect(disk.exists(from)).toBe(false)
    expect(Buffer.from(disk.open(to).read(0, 9)).toString()).toBe('new')
    disk.unlink(to)
    expect(codeOf(() => disk.unlink(to))).toBe('ENOENT')
    expect(Buffer.from(old.read(0, 9)).toString()).toBe('old')
    await expect(disk.syncDirectory(path.join(root, 'missing'))).rejects.toMatchObject({ code: 'ENOENT' })
  })

  test('a lock is held once, until it is released', () => {
    const { disk, root } = make()
    const lock = disk.lock(path.join(root, 'lock'))
    expect(codeOf(() => disk.lock(path.join(root, 'lock')))).toBe('LOCKED')
    lock.release()
    disk.lock(path.join(root, 'lock')).release()
  })

  test('says how much is free', () => {
    const { disk, root } = make()
    expect(disk.freeBytes(root)).toBeGreaterThan(0)
  })

  test('a file closed during a sync ends the sync all the same', async () => {
    const { disk, root } = make()
    const file = disk.create(path.join(root, 'a'))
    file.write([Buffer.from('abc')], 0)
    const synced = file.datasync()
    file.close()
    await expect(synced).resolves.toBeUndefined()
  })
})
