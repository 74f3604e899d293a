import { META_GROUP } from '@quorate/protocol'
import { rowKind } from '@quorate/state-machine'
import { DamagedRowError, type StateSnapshot, StoreFailedError } from '@quorate/storage'
import { describe, expect, it } from 'vitest'
import { DIRECTORY, KEYS, ScrubWorld, seal } from './support/scrub-world.ts'

const DAY_MS = 86_400_000
/** Of a shard (state-machine, disk format). */
const kinds = Object.values(rowKind)

/** The last row: by then a walk has read many pages. */
function lastRow(world: ScrubWorld, group: number, kind: number) {
  const row = world.rowsOf(group, kind).at(-1)
  if (row === undefined) throw new Error(`no row of kind ${kind}`)
  return row
}

describe('the scrubber', () => {
  it('G2: condemns no healthy replica while checkpoints go on, pass after pass', async () => {
    const world = await ScrubWorld.open([META_GROUP, 1, 2])
    const scrubber = world.scrubber()
    scrubber.start()
    let checkpoints = 0
    let whileWalking = 0
    const openViews = countViews(world)
    const again = (): void => {
      world.write(world.replica(1), 40, checkpoints)
      world.write(world.replica(2), 1 + (checkpoints % 30), checkpoints)
      void world.checkpoint().then(() => {
        checkpoints += 1
        if (openViews() > 0) whileWalking += 1
        world.time.after(700, again)
      })
    }
    again()
    await world.time.until(() => world.events.length === 3, 500_000)
    await world.time.settle(scrubber.stop())
    expect(world.replicas.flatMap(({ reasons }) => reasons)).toEqual([])
    expect(world.halts).toEqual([])
    expect(world.events.every(({ replicas, rows }) => replicas === 3 && Number(rows) > 4 * KEYS)).toBe(true)
    expect(whileWalking).toBeGreaterThan(15)
  })

  it.each(kinds)(
    'G2: a row of kind %i that was changed and sealed anew condemns its replica and no other',
    async (kind) => {
      const world = await ScrubWorld.open([1, 2])
      const { key, sealed } = lastRow(world, 2, kind)
      const value = sealed.slice(0, -4)
      const at = Math.min(9, value.length - 1)
      value[at] = (value[at] ?? 0) ^ 1
      world.rewrite(key, seal(key, value))
      await world.pass()
      expect(world.replica(2).reasons).toEqual([expect.stringMatching(/^scrubber: /)])
      expect(world.replica(1).condition).toBe('live')
      expect(world.events).toMatchObject([{ code: 'scrubbed', replicas: 1 }])
    },
  )

  it.each(kinds)('G2: a lost row of kind %i condemns its replica, wherever it was', async (kind) => {
    for (const at of [0, -1]) {
      const world = await ScrubWorld.open([1])
      const row = world.rowsOf(1, kind).at(at)
      if (row === undefined) throw new Error('no row')
      world.rewrite(row.key, null)
      await world.pass()
      expect(world.replica(1).reasons).toHaveLength(1)
    }
  })

  it('G2: a row that came back from an older checkpoint, its seal intact, condemns its replica', async () => {
    const world = await ScrubWorld.open([1])
    const old = lastRow(world, 1, rowKind.entry)
    world.write(world.replica(1), KEYS, 2)
    await world.time.settle(world.checkpoint())
    await world.pass()
    expect(world.replica(1).condition).toBe('live')
    world.rewrite(old.key, old.sealed)
    await world.pass()
    expect(world.replica(1).reasons).toEqual([expect.stringMatching(/^scrubber: slot \d+: 1 entries/)])
  })

  it('G2: a row that fails its checksum condemns its replica', async () => {
    const world = await ScrubWorld.open([1, 2])
    const { key } = lastRow(world, 1, rowKind.entry)
    expect(world.states.flipBit(DIRECTORY, (each) => Buffer.compare(each, key) === 0)).toBe(true)
    await world.pass()
    expect(world.replica(1).reasons).toEqual([expect.stringMatching(/fails its checksum/)])
    expect(world.replica(2).condition).toBe('live')
  })

  it('G2: the map of the meta group is read, too', async () => {
    const world = await ScrubWorld.open([META_GROUP])
    await world.pass()
    expect(world.replica(META_GROUP).condition).toBe('live')
    const { key, sealed } = lastRow(world, META_GROUP, 16)
    world.rewrite(key, seal(key, sealed.slice(0, 20)))
    await world.pass()
    expect(world.replica(META_GROUP).reasons).toHaveLength(1)
    const lost = await ScrubWorld.open([META_GROUP])
    lost.rewrite(lastRow(lost, META_GROUP, 16).key, null)
    await lost.pass()
    expect(lost.replica(META_GROUP).reasons).toEqual(['scrubber: no map in the meta group'])
  })

  it('G2: a bad file of the store condemns every replica of the node, one that stopped applying included', async () => {
    const world = await ScrubWorld.open([META_GROUP, 1, 2])
    world.replica(2).condition = 'stopped'
    const { store } = world
    await world.pass({
      store: {
        openSnapshot: (group, generation) => store.openSnapshot(group, generation),
        verifyFiles: async () => 'table 000005: bad block at 0',
      },
    })
    expect(world.replicas.map(({ condition }) => condition)).toEqual(['condemned', 'condemned', 'condemned'])
    expect(world.replica(1).reasons[0]).toContain('table 000005')
  })

  it.each([
    ['installs a snapshot', (world: ScrubWorld): void => void (world.replica(1).generation += 1)],
    ['stops applying', (world: ScrubWorld): void => void (world.replica(1).condition = 'stopped')],
    ['is removed', (world: ScrubWorld): void => void world.replicas.shift()],
  ] as const)('a walk gives no verdict when its replica %s meanwhile', async (_, change) => {
    const cases = [
      { kind: rowKind.entry, at: -1, resealed: true, page: 2 },
      { kind: rowKind.entry, at: -1, resealed: false, page: 2 },
      // The bad row is in the page that is under way.
      { kind: rowKind.ownership, at: 0, resealed: false, page: 1 },
    ]
    for (const { kind, at, resealed, page } of cases) {
      const world = await ScrubWorld.open([1, 2])
      const [one] = world.replicas
      const row = world.rowsOf(1, kind).at(at)
      if (row === undefined) throw new Error('no row')
      world.rewrite(row.key, resealed ? null : row.sealed.map((byte) => byte ^ 1))
      const pages = countPages(world)
      const scrubber = world.scrubber()
      scrubber.start()
      await world.time.until(() => pages() === page, 100_000)
      change(world)
      await world.time.until(() => world.events.length === 1, 100_000)
      await world.time.settle(scrubber.stop())
      expect(one?.reasons).toEqual([])
      expect(world.events).toMatchObject([{ replicas: 1 }])
    }
  })

  it('replicas without a checkpoint, stopped and condemned ones are left alone', async () => {
    const world = await ScrubWorld.open([1, 2])
    world.replica(1).condition = 'stopped'
    world.replica(2).condition = 'condemned'
    const pages = countPages(world)
    await world.pass({ durableHead: () => null })
    await world.pass()
    expect(pages()).toBe(0)
  })
})

describe('the pace of the scrubber', () => {
  it('begins a pass once per scrubMs', async () => {
    const world = await ScrubWorld.open([1])
    const scrubber = world.scrubber({ scrubMs: DAY_MS })
    scrubber.start()
    await world.time.until(() => world.events.length === 4, 4 * DAY_MS)
    await world.time.settle(scrubber.stop())
    const [first = 0, ...later] = world.events.map(({ atMs }) => atMs)
    // A walk of few pages does not last for a day: its view would keep LevelDB from compacting.
    expect(first).toBeLessThan(60_000)
    for (const [at, end] of later.entries())
      expect(Math.abs(end - first - (at + 1) * DAY_MS)).toBeLessThan(1_000)
  })

  it.each([
    { storedBytes: 0, expectedMs: 1_000, why: 'at most a second, however little there is' },
    { storedBytes: 999 * 65_536, expectedMs: 100, why: 'spread over scrubMs' },
    { storedBytes: 1e15, expectedMs: 10, why: 'at least 10 ms, however much there is' },
  ])(
    'waits $expectedMs ms between pages of $storedBytes bytes: $why',
    async ({ storedBytes, expectedMs }) => {
      const world = await ScrubWorld.open([1])
      const readAt: number[] = []
      countPages(world, () => readAt.push(world.time.monotonicMs()))
      await world.pass({ storedBytes: () => storedBytes })
      expect(readAt.length).toBeGreaterThan(3)
      for (const [at, moment] of readAt.slice(1).entries()) {
        const passed = Math.round((moment - (readAt[at] ?? 0)) * 1_000) / 1_000
        expect(passed).toBeGreaterThanOrEqual(expectedMs)
        // The memory twin takes up to a millisecond for each read.
        expect(passed).toBeLessThan(expectedMs + 5)
      }
    },
  )

  it('begins with another replica where chance says so', async () => {
    const world = await ScrubWorld.open([1, 2, 3])
    const groups: number[] = []
    countViews(world, (group) => groups.push(group))
    await world.pass({ draw: () => 0.5 })
    expect(groups).toEqual([2, 3, 1])
  })
})

describe('stopping the scrubber', () => {
  it('in the middle of a page closes the view, gives no verdict and leaves no timer', async () => {
    const world = await ScrubWorld.open([1])
    world.rewrite(lastRow(world, 1, rowKind.entry).key, null)
    const openViews = countViews(world)
    const pages = countPages(world)
    const scrubber = world.scrubber()
    scrubber.start()
    await world.time.until(() => pages() === 3, 100_000)
    await world.time.settle(scrubber.stop())
    expect(openViews()).toBe(0)
    expect(world.time.armed).toBe(0)
    await world.time.settle(world.store.close())
    expect([world.halts, world.events, world.replica(1).reasons]).toEqual([[], [], []])
    scrubber.start()
    expect(world.time.armed).toBe(0)
  })

  it('between two pages and between two passes needs no time at all', async () => {
    const world = await ScrubWorld.open([1])
    for (const events of [0, 1]) {
      const scrubber = world.scrubber()
      const pages = countPages(world)
      scrubber.start()
      await world.time.until(() => world.events.length === events && pages() >= events, 100_000)
      const before = world.time.monotonicMs()
      await world.time.settle(scrubber.stop())
      expect(world.time.monotonicMs()).toBe(before)
      expect(world.time.armed).toBe(0)
    }
  })

  it('does not wait for exclusive work or for files, which may never end on a node that halts', async () => {
    const world = await ScrubWorld.open([1])
    const openViews = countViews(world)
    let release = (): void => {}
    void world.exclusively(
      () =>
        new Promise<void>((resolve) => {
          release = resolve
        }),
    )
    const waiting = world.scrubber()
    waiting.start()
    await waiting.stop()
    release()
    await world.time.settle(world.exclusively(async () => {}))
    expect(openViews()).toBe(0)

    let verifying = false
    const { store } = world
    const verifier = world.scrubber({
      store: {
        openSnapshot: (group, generation) => store.openSnapshot(group, generation),
        verifyFiles: () => {
          verifying = true
          return new Promise(() => {})
        },
      },
    })
    verifier.start()
    await world.time.until(() => verifying, 100_000)
    await verifier.stop()
    expect([world.events, world.halts]).toEqual([[], []])
  })
})

describe('a store that cannot be read', () => {
  it('halts the node and condemns nobody', async () => {
    const world = await ScrubWorld.open([1])
    await world.pass({ store: failing(world, new StoreFailedError('EIO')) })
    expect(world.halts).toEqual([new StoreFailedError('EIO')])
    expect(world.replica(1).condition).toBe('live')
  })

  it('G2: condemns the replica where LevelDB itself finds a row damaged', async () => {
    const world = await ScrubWorld.open([1])
    await world.pass({ store: failing(world, new DamagedRowError(1, 'LevelDB: corruption')) })
    expect(world.halts).toEqual([])
    expect(world.replica(1).reasons).toEqual(['scrubber: LevelDB: corruption'])
  })
})

function failing({ store }: ScrubWorld, error: Error) {
  return {
    openSnapshot: (): StateSnapshot => ({ next: () => Promise.reject(error), close: async () => {} }),
    verifyFiles: () => store.verifyFiles(),
  }
}

/** How many views are open. */
function countViews(world: ScrubWorld, opened: (group: number) => void = () => {}): () => number {
  let open = 0
  const openSnapshot = world.store.openSnapshot.bind(world.store)
  world.store.openSnapshot = (group, generation) => {
    const view = openSnapshot(group, generation)
    open += 1
    opened(group)
    return {
      next: (maxBytes) => view.next(maxBytes),
      close: async () => {
        await view.close()
        open -= 1
      },
    }
  }
  return () => open
}

/** How many pages have been asked for. */
function countPages(world: ScrubWorld, asked: () => void = () => {}): () => number {
  let pages = 0
  const openSnapshot = world.store.openSnapshot.bind(world.store)
  world.store.openSnapshot = (group, generation) => {
    const view = openSnapshot(group, generation)
    return {
      next: (maxBytes) => {
        pages += 1
        asked()
        return view.next(maxBytes)
      },
      close: () => view.close(),
    }
  }
  return () => pages
}
