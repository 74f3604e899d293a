// The whole of a data directory on the real disk, with LevelDB.
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { createRealDisk, createSeededRandom } from '@quorate/runtime'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openLevelStateStore, openStorage, type Storage } from '../src/index.ts'
import { created, entries, hardState, head, logOf, replicaOf } from './log/rig.ts'

let directory = ''
beforeEach(() => {
  directory = fs.mkdtempSync(path.join(os.tmpdir(), 'quorate-storage-'))
})
afterEach(() => fs.rmSync(directory, { recursive: true, force: true }))

interface Opened {
  readonly storage: Storage
  /** Flushes and waits until everything appended is synced. */
  readonly sync: () => Promise<void>
}

async function open(): Promise<Opened> {
  let wake = (): void => {}
  let last = 0
  const storage = await openStorage({
    disk: createRealDisk(),
    clock: { monotonicMs: () => performance.now(), wallMs: () => Date.now() },
    timers: {
      after: (delayMs, callback) => {
        const timer = setTimeout(callback, delayMs)
        return { cancel: () => clearTimeout(timer) }
      },
      endOfTurn: (callback) => void setImmediate(callback),
    },
    random: createSeededRandom(process.pid),
    directory: path.join(directory, 'data', 'n1'),
    name: 'n1',
    openStateStore: openLevelStateStore,
    segmentBytes: 64 * 1024,
    onSynced: (ticket) => {
      last = ticket
      wake()
    },
    onFailure: (error) => {
      throw error
    },
  })
  const sync = (): Promise<void> =>
    new Promise((resolve) => {
      const ticket = storage.log.append(
        hardState(1, (replicaOf(storage, 1)?.hardState.currentTerm ?? 0) + 50, null),
      )
      wake = () => {
        if (last >= ticket) resolve()
      }
      storage.log.flush()
    })
  return { storage, sync }
}

test('what was synced comes back over several boots, through rolled and deleted segments', async () => {
  const first = await open()
  first.storage.log.append(created(1))
  await first.sync()
  for (let index = 1; index <= 30; index += 1) {
    first.storage.log.append(entries(1, index, index, 1, 9000))
    if (index % 3 === 0) await first.sync().catch(() => {})
  }
  await expect(open()).rejects.toMatchObject({ code: 'IN_USE' })
  const checkpoint = await first.storage.store.checkpoint(
    [{ head: { ...head(1, 25), generation: await first.storage.store.nextGeneration() }, changes: [] }],
    first.storage.log.syncedPosition,
  )
  first.storage.log.append({
    kind: 'compacted',
    group: 1,
    incarnation: 1,
    index: 20,
    term: 1,
    checkpoint,
    configuration: new Uint8Array(1),
    configurationIndex: 0,
  })
  await first.storage.writeFile('map', Buffer.from('epoch 7'))
  await first.storage.close()
  for (let boot = 2; boot <= 3; boot += 1) {
    const { storage } = await open()
    expect(storage.identity.boot).toBe(boot)
    expect(storage.replicas[0]?.head?.appliedIndex).toBe(25)
    expect(replicaOf(storage, 1)).toMatchObject({ state: 'live', lastIndex: 30, compacted: { index: 20 } })
    expect(logOf(storage, 1)).toHaveLength(10)
    expect(Buffer.from(storage.readFile('map') ?? []).toString()).toBe('epoch 7')
    expect(storage.lowOnSpace).toBe(false)
    await storage.close()
  }
})

test('A8: without node.json the directory is refused', async () => {
  await (await open()).storage.close()
  fs.rmSync(path.join(directory, 'data', 'n1', 'node.json'))
  await expect(open()).rejects.toMatchObject({ code: 'DAMAGED' })
})
