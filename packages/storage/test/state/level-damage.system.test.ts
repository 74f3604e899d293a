// Bytes flipped and directories torn in LevelDB's own files: detected or harmless, never served.
import {
  copyFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  createLevelStateStore,
  DamagedRowError,
  openLevelStateStore,
  type StateRow,
  StorageRefusedError,
  type StateStore,
  StoreFailedError,
} from '../../src/index.ts'
import { contents, head, row } from '../../src/state/conformance/world.ts'
import { liveTables } from '../../src/state/level-manifest.ts'
import { seededRandom } from './virtual-timers.ts'

const CHECKPOINTS = 8
const SAMPLES_PER_FILE = 80

let root = ''
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'quorate-damage-'))
})
afterEach(() => {
  rmSync(root, { recursive: true, force: true })
})

type Verdict = 'sound' | 'refused' | 'damage' | 'bad row' | 'bad file' | 'older checkpoint'

/** Every row of checkpoint `index`, more than one of LevelDB's log blocks (32 KiB) over four checkpoints. */
function rowsAt(index: number): StateRow[] {
  return Array.from({ length: 90 }, (_, at) => row(`k${String(at).padStart(2, '0')}`, `${index} `.repeat(60)))
}

/** Eight checkpoints over 90 rows, with the first half in tables and the rest in LevelDB's log. */
async function prepare(directory: string): Promise<void> {
  let store = await openLevelStateStore(directory, 'd')
  const generation = await store.nextGeneration()
  for (let index = 1; index <= CHECKPOINTS; index += 1) {
    await store.checkpoint([{ head: head(1, generation, index), changes: rowsAt(index) }], index)
    if (index === 2 || index === CHECKPOINTS / 2) {
      await store.close()
      store = await openLevelStateStore(directory, 'd')
    }
  }
  cpSync(directory, `${directory}-copy`, { recursive: true })
  await store.close()
  rmSync(directory, { recursive: true })
  renameSync(`${directory}-copy`, directory)
}

/** Everything that a restart looks at, in order; throws if wrong rows were served without a word. */
async function judge(directory: string): Promise<Verdict> {
  let store: StateStore
  try {
    store = await openLevelStateStore(directory, 'd')
  } catch (error) {
    if (error instanceof StorageRefusedError && error.code === 'DAMAGED') return 'refused'
    throw error
  }
  try {
    if (store.damage !== null) return 'damage'
    if ((await store.verifyFiles()) !== null) return 'bad file'
    const newest = store.checkpointNumber
    const heads = await store.heads()
    if (store.damagedGroups.length > 0) return 'bad row'
    // Whatever checkpoint it is, it is whole; that it is not the newest is for the log's compaction points to tell.
    expect(heads).toEqual([head(1, 1, newest)])
    const expected = rowsAt(newest).map(
      (each) => `${Buffer.from(each.key).toString()}=${Buffer.from(each.value).toString()}`,
    )
    expect(await contents(store, 1, 1)).toEqual(expected)
    return newest === CHECKPOINTS ? 'sound' : 'older checkpoint'
  } catch (error) {
    if (error instanceof DamagedRowError) return 'bad row'
    throw error
  } finally {
    await store.close()
  }
}

describe('LevelDB with damaged files', () => {
  it('G2: one flipped bit anywhere in its files is detected or harmless', async () => {
    const seed = 7
    const random = seededRandom(seed)
    await prepare(join(root, 'state'))
    const counts = new Map<string, number>()
    const names = readdirSync(join(root, 'state')).filter(
      (name) => !['LOCK', 'LOG', 'LOG.old'].includes(name),
    )
    expect(names.filter((name) => name.endsWith('.ldb')).length).toBeGreaterThan(0)
    for (const name of names) {
      const bytes = readFileSync(join(root, 'state', name))
      for (let sample = 0; sample < Math.min(SAMPLES_PER_FILE, bytes.length); sample += 1) {
        const at = Math.floor(random.next() * bytes.length)
        const bit = Math.floor(random.next() * 8)
        const hurt = join(root, 'hurt')
        mkdirSync(hurt)
        for (const each of readdirSync(join(root, 'state')))
          copyFileSync(join(root, 'state', each), join(hurt, each))
        const changed = Buffer.from(bytes)
        changed[at] = (changed[at] ?? 0) ^ (1 << bit)
        writeFileSync(join(hurt, name), changed)
        const verdict = await judge(hurt).catch((error: unknown) => {
          throw new Error(`seed ${seed}, ${name}, byte ${at}, bit ${bit}: ${String(error)}`, { cause: error })
        })
        const kind = `${name.replace(/[0-9-]/g, '')} ${verdict}`
        counts.set(kind, (counts.get(kind) ?? 0) + 1)
        rmSync(hurt, { recursive: true })
      }
    }
    // The test would prove nothing had the flips hit nothing.
    expect([...counts.keys()]).toContain('.log damage')
    expect([...counts.keys()]).toContain('.log older checkpoint')
    expect([...counts.keys()]).toContain('.ldb refused')
  })

  it('G2: a whole sector of a table or of the log turned to zeros is detected or leaves an older checkpoint whole', async () => {
    await prepare(join(root, 'state'))
    for (const name of readdirSync(join(root, 'state')).filter((each) => /[.](?:ldb|log)$/.test(each))) {
      const bytes = readFileSync(join(root, 'state', name))
      for (let sector = 0; sector * 512 < bytes.length; sector += 5) {
        const hurt = join(root, 'hurt')
        cpSync(join(root, 'state'), hurt, { recursive: true })
        writeFileSync(
          join(hurt, name),
          Buffer.from(bytes).fill(0, sector * 512, Math.min(bytes.length, (sector + 1) * 512)),
        )
        expect(await judge(hurt), `${name}, sector ${sector}`).not.toBe('sound')
        rmSync(hurt, { recursive: true })
      }
    }
  })

  it('a table that a dying process left half-written, named by nobody, is no damage', async () => {
    await prepare(join(root, 'state'))
    const table = readdirSync(join(root, 'state')).find((name) => name.endsWith('.ldb')) ?? ''
    const half = readFileSync(join(root, 'state', table)).subarray(0, 700)
    writeFileSync(join(root, 'state', '000999.ldb'), half)
    expect(await judge(join(root, 'state'))).toBe('sound')
  })

  it('the live tables of the manifest are the ones that LevelDB keeps, after many compactions', async () => {
    const directory = join(root, 'state')
    const store = await createLevelStateStore({ writeBufferBytes: 64 * 1024 })(directory, 'd')
    const generation = await store.nextGeneration()
    for (let index = 1; index <= 60; index += 1) {
      await store.checkpoint([{ head: head(1, generation, index), changes: rowsAt(index) }], index)
    }
    await store.close()
    const kept = (): number[] =>
      readdirSync(directory)
        .filter((name) => name.endsWith('.ldb'))
        .map((name) => Number.parseInt(name, 10))
        .toSorted((a, b) => a - b)
    // Opening removes what is obsolete.
    await (await openLevelStateStore(directory, 'd')).close()
    const manifest = readFileSync(join(directory, readFileSync(join(directory, 'CURRENT'), 'utf8').trimEnd()))
    expect(liveTables(manifest)).toEqual(kept())
    expect(kept().length).toBeGreaterThan(1)
    expect(Math.max(...kept())).toBeGreaterThan(20)
  })

  it('a directory without CURRENT, or without one of its tables, is refused and not begun anew', async () => {
    await prepare(join(root, 'state'))
    const table = readdirSync(join(root, 'state')).find((name) => name.endsWith('.ldb')) ?? ''
    for (const name of ['CURRENT', table]) {
      const hurt = join(root, `without ${name}`)
      cpSync(join(root, 'state'), hurt, { recursive: true })
      unlinkSync(join(hurt, name))
      await expect(openLevelStateStore(hurt, 'd')).rejects.toMatchObject({ code: 'DAMAGED' })
    }
  })

  it('G8: a copy taken at any moment of a run, also while LevelDB rotates its log, opens at one whole checkpoint', async () => {
    // A tiny write buffer, so that logs rotate and tables are written all the time.
    const openSmall = createLevelStateStore({ writeBufferBytes: 64 * 1024 })
    const store = await openSmall(join(root, 'state'), 'd')
    const generation = await store.nextGeneration()
    const copies: { directory: string; acknowledged: number }[] = []
    const run = { stopped: false, acknowledged: 0 }
    const writing = (async () => {
      for (let index = 1; !run.stopped; index += 1) {
        await store.checkpoint([{ head: head(1, generation, index), changes: rowsAt(index) }], index)
        run.acknowledged = index
      }
    })()
    // Fifteen checkpoints fill the write buffer several times.
    for (let copy = 0; copy < 500 && (copies.length < 20 || run.acknowledged < 15); copy += 1) {
      for (let turn = 0; turn <= copy % 13; turn += 1) await new Promise((resolve) => setImmediate(resolve))
      const directory = join(root, `copy-${copy}`)
      const before = run.acknowledged
      if (copiedInOneMoment(join(root, 'state'), directory)) copies.push({ directory, acknowledged: before })
    }
    run.stopped = true
    await writing
    await store.close()
    expect(copies.length).toBeGreaterThan(10)
    expect(copies.some(({ directory }) => readdirSync(directory).some((name) => name.endsWith('.ldb')))).toBe(
      true,
    )
    for (const { directory, acknowledged: atLeast } of copies) {
      const copy = await openSmall(directory, 'd')
      const newest = copy.checkpointNumber
      expect(copy.damage).toBeNull()
      expect([atLeast, atLeast + 1]).toContain(newest)
      expect(await copy.heads()).toEqual(newest === 0 ? [] : [head(1, generation, newest)])
      const rows = rowsAt(newest).map(
        (each) => `${Buffer.from(each.key).toString()}=${Buffer.from(each.value).toString()}`,
      )
      expect(await contents(copy, 1, generation)).toEqual(newest === 0 ? [] : rows)
      await copy.close()
    }
  })

  it('G3, G4: a failed write rejects, is not retried, and the store refuses everything after it', async () => {
    const store = await openLevelStateStore(join(root, 'state'), 'd')
    const generation = await store.nextGeneration()
    // The directory cannot be synced any more: its name is gone.
    renameSync(join(root, 'state'), join(root, 'moved'))
    const failing = store.checkpoint([{ head: head(1, generation, 1), changes: [row('a', '1')] }], 1)
    const queued = store.nextGeneration()
    await Promise.all([
      expect(failing).rejects.toThrow(StoreFailedError),
      expect(queued).rejects.toThrow(StoreFailedError),
    ])
    renameSync(join(root, 'moved'), join(root, 'state'))
    expect(store.checkpointNumber).toBe(0)
    await expect(store.checkpoint([], 2)).rejects.toThrow(StoreFailedError)
    await expect(store.nextGeneration()).rejects.toThrow(StoreFailedError)
    await expect(store.heads()).rejects.toThrow(StoreFailedError)
    expect(() => store.openSnapshot(1, generation)).toThrow(StoreFailedError)
    await store.close()
  })
})

/** Only a copy during which no name and no size changed shows one moment, as a killed process leaves it. */
function copiedInOneMoment(from: string, to: string): boolean {
  const listed = listing(from)
  try {
    cpSync(from, to, { recursive: true })
  } catch (error) {
    // LevelDB removed a file under the copy.
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return false
    throw error
  }
  return listed === listing(from)
}

function listing(directory: string): string {
  return readdirSync(directory)
    .map((name) => `${name} ${statSync(join(directory, name), { throwIfNoEntry: false })?.size}`)
    .join('\n')
}
