// A snapshot on its way: a window of chunks, lost, late, repeated, interrupted; and how each end is reported once.
import type { SnapshotFrame } from '@quorate/protocol'
import { limits } from '@quorate/protocol'
import type { StateRow } from '@quorate/storage'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { SnapshotTraffic } from '../src/replica/snapshot-traffic.ts'
import { fixed } from '../src/settings.ts'
import { SnapshotWorld } from './support/snapshot-world.ts'

/** 40 chunks of 100 kB, and the one that says that it was the last. */
const ROWS = 400
const CHUNKS = 41

async function installed(world: SnapshotWorld): Promise<void> {
  await world.until(() => world.reports.length > 0)
  expect([world.reports, world.installs, world.rowsInstalled]).toEqual([['snapshotSent'], 1, ROWS])
  expect(world.leader.store.openViews).toBe(0)
}

const numbers = (world: SnapshotWorld): number[] => world.chunks.map(({ chunk }) => chunk)

describe('a snapshot', () => {
  it('goes over in a window of chunks, each once, and never more of them than the window holds', async () => {
    const world = new SnapshotWorld(ROWS)
    world.follower.store.writeMs = 20
    let most = 0
    const seen = new Set<string>()
    world.weather = (frame) => {
      if (frame.type === 'snapshotChunk') {
        const stored = Math.max(0, ...world.answers.map(({ nextChunk }) => nextChunk))
        most = Math.max(most, frame.chunk + 1 - stored)
        seen.add(frame.snapshot.id)
      }
      return [1]
    }
    world.want()
    await installed(world)
    expect(numbers(world)).toEqual(Array.from({ length: CHUNKS }, (_, at) => at))
    expect(most).toBeGreaterThan(4)
    expect(most).toBeLessThanOrEqual(Math.ceil(fixed.snapshotWindowBytes / 100_000) + 1)
    expect(most).toBeLessThanOrEqual(limits.snapshotChunksAhead + 1)
    expect(seen.size).toBe(1)
  })

  it('goes on after an interruption behind the last chunk that the receiver has', async () => {
    const world = new SnapshotWorld(ROWS)
    world.want()
    for (let round = 1; round <= 4; round += 1) {
      await world.until(() => world.chunks.length > round * 12)
      world.weather = () => []
      await world.time.run(2_000)
      world.weather = () => [1]
    }
    await installed(world)
    expect(new Set(world.chunks.map(({ snapshot }) => snapshot.id)).size).toBe(1)
    // What each interruption cost: its window, and a few questions.
    expect(world.chunks.length).toBeLessThan(CHUNKS + 4 * 18)
  })

  it('that nobody answers for long has failed, once; the next one begins anew', async () => {
    const world = new SnapshotWorld(ROWS)
    world.want()
    await world.until(() => world.chunks.length > 12)
    world.weather = () => []
    await world.until(() => world.reports.length > 0, 2 * fixed.snapshotSilentMs)
    await world.time.run(20_000)
    expect([world.reports, world.installs, world.leader.store.openViews]).toEqual([['snapshotFailed'], 0, 0])
    world.weather = () => [1]
    world.leader.steps.length = 0
    world.want()
    await installed(world)
    // The rows of the first were dropped.
    expect(world.follower.store.dropped).toContain(1)
  })

  it('begins anew when its receiver was restarted', async () => {
    const world = new SnapshotWorld(ROWS)
    world.want()
    await world.until(() => world.chunks.length > 20)
    world.restartFollower()
    await world.until(() => world.reports.length > 0, 5_000)
    expect(world.reports).toEqual(['snapshotFailed'])
    world.leader.steps.length = 0
    world.want()
    await installed(world)
  })

  it('C13: whose install takes long is waited for as long as its receiver is there', async () => {
    const world = new SnapshotWorld(ROWS)
    world.follower.store.checkpointMs = 5 * fixed.snapshotSilentMs
    world.want()
    await world.until(() => world.reports.length > 0, 10 * fixed.snapshotSilentMs)
    await installed(world)
    expect(new Set(world.chunks.map(({ snapshot }) => snapshot.id)).size).toBe(1)
  })

  it.each([
    ['of which a row is not what its checksum says', (rows: StateRow[]) => void rows[0]?.value.fill(1, 0, 1)],
    ['that lacks a row', (rows: StateRow[]) => void rows.pop()],
  ])('C9: with a chunk %s is over on both sides, and the next one succeeds', async (_what, spoil) => {
    const world = new SnapshotWorld(ROWS)
    world.weather = (frame) => {
      if (frame.type === 'snapshotChunk' && frame.chunk === 9 && frame.snapshot.id === 'snapshot-1')
        spoil(frame.rows as unknown as StateRow[])
      return [1]
    }
    world.want()
    await world.until(() => world.reports.length > 0)
    expect([world.reports, world.installs, world.follower.store.dropped]).toEqual([
      ['snapshotFailed'],
      0,
      [1],
    ])
    world.leader.store.generations.get(1)?.forEach(({ value }) => value.fill(0))
    world.leader.steps.length = 0
    world.want()
    await installed(world)
  })

  it('C8: installed already, and another one right behind it, change nothing twice', async () => {
    const world = new SnapshotWorld(ROWS)
    world.want()
    await installed(world)
    const first = [...world.chunks]
    // Every chunk of it once more.
    for (const chunk of first) world.receiver.receive(chunk)
    await world.time.run(1_000)
    expect([world.installs, world.rowsInstalled]).toEqual([1, ROWS])
    // The core wants another one at once: of the same state it is there already, a newer one is installed.
    world.want()
    await world.until(() => world.reports.length > 1)
    world.index = 60
    world.want()
    await world.until(() => world.reports.length > 2)
    // Late chunks of the first in the middle of the third.
    expect([world.reports, world.installs]).toEqual([['snapshotSent', 'snapshotSent', 'snapshotSent'], 2])
    for (const chunk of first) world.receiver.receive(chunk)
    await world.time.run(1_000)
    expect([world.installs, world.rowsInstalled]).toEqual([2, ROWS])
  })

  it('B14 C4: of what the receiver has already counts as installed, so that a leader whose answer was lost goes on', async () => {
    const world = new SnapshotWorld(ROWS)
    world.weather = (frame) => (frame.type === 'snapshotAnswer' && frame.outcome === 'installed' ? [] : [1])
    world.want()
    await world.until(() => world.reports.length === 1, 2 * fixed.snapshotSilentMs)
    expect(world.installs).toBe(1)
    world.weather = () => [1]
    world.want()
    await world.until(() => world.reports.length === 2)
    expect([world.reports, world.installs]).toEqual([['snapshotFailed', 'snapshotSent'], 1])
    // Also if it got there by other means while this one was on its way.
    world.index = 60
    world.want()
    await world.until(() => world.chunks.some(({ snapshot, chunk }) => snapshot.index === 60 && chunk > 20))
    world.follower.raft.commitIndex = 70
    await world.until(() => world.reports.length === 3)
    expect([world.reports[2], world.installs, world.follower.store.dropped.length]).toEqual([
      'snapshotSent',
      1,
      2,
    ])
  })

  it('is installed by no candidate: its own vote, durable in the middle of it, would make a leader of a log that goes', async () => {
    for (const role of ['candidate', 'preCandidate'] as const) {
      const world = new SnapshotWorld(ROWS)
      world.follower.raft.role = role
      world.want()
      await installed(world)
      expect(world.follower.steps.map(({ type }) => type)).toEqual(['stepDown', 'snapshotInstalled'])
    }
    const world = new SnapshotWorld(ROWS)
    world.follower.raft.role = 'leader'
    world.follower.isLeader = true
    world.want()
    await world.until(() => world.reports.length > 0)
    expect([world.reports, world.follower.steps]).toEqual([['snapshotFailed'], []])
  })

  it('is not disturbed by late chunks of earlier ones or of a deposed leader, nor by those of others', async () => {
    const world = new SnapshotWorld(ROWS)
    world.want()
    await world.until(() => world.chunks.length > 12)
    const late = [...world.chunks]
    world.sender.stop()
    world.index = 60
    world.leader.steps.length = 0
    world.want()
    await world.until(() =>
      world.chunks.some(({ snapshot, chunk }) => snapshot.id !== 'snapshot-1' && chunk > 5),
    )
    const own = world.chunks.filter(({ snapshot }) => snapshot.id === 'snapshot-2')
    for (const chunk of late) world.receiver.receive(chunk)
    for (const chunk of late)
      world.receiver.receive({ ...chunk, snapshot: { ...chunk.snapshot, id: 'unknown' } })
    for (const chunk of own) world.receiver.receive({ ...chunk, from: 9 })
    for (const chunk of own)
      world.receiver.receive({ ...chunk, term: 2, snapshot: { ...chunk.snapshot, id: 'old' } })
    await installed(world)
    // The unfinished one, and the state before.
    expect(world.follower.store.dropped).toEqual([1, 0])
  })

  it('ends once, whatever the network does: lost, repeated and late frames, in any order', async () => {
    await fc.assert(
      fc.asyncProperty(fc.infiniteStream(fc.integer({ min: 0, max: 99 })), async (draws) => {
        const world = new SnapshotWorld(60)
        const draw = (): number => draws.next().value ?? 0
        world.weather = (_frame: SnapshotFrame) => {
          const fate = draw()
          if (fate < 15) return []
          if (fate < 40) return [1 + draw() / 2, 1 + draw() * 20]
          return [1 + draw() / 5]
        }
        for (let round = 1; round <= 3; round += 1) {
          world.index += 10
          world.want()
          await world.until(() => world.reports.length === round)
        }
        world.weather = () => [1]
        world.index += 10
        world.want()
        await world.until(() => world.reports.length === 4)
        // What is installed is always one whole snapshot.
        expect([world.rowsInstalled, world.reports.at(-1)]).toEqual([60, 'snapshotSent'])
        expect(world.leader.store.openViews).toBe(0)
        await world.time.run(10_000)
        expect([world.reports.length, world.rowsInstalled]).toEqual([4, 60])
      }),
      { numRuns: 25 },
    )
  })
})

describe('the log behind a snapshot', () => {
  it('is held while it is on its way, for ten minutes and for 1 GiB: then the snapshot is given up', async () => {
    for (const grow of [0, fixed.snapshotHoldBytes]) {
      const world = new SnapshotWorld(ROWS)
      // The receiver never gets to the end.
      world.follower.store.checkpointMs = 10 * fixed.snapshotHoldMs
      world.leader.logBytes = 5_000_000
      world.want()
      expect(world.sender.logMayGoUpTo).toBe(0)
      await world.time.run(fixed.snapshotHoldMs - 1_000)
      expect([world.sender.logMayGoUpTo, world.reports]).toEqual([50, []])
      world.leader.logBytes += grow - 1
      await world.time.run(600)
      expect(world.reports).toEqual([])
      world.leader.logBytes += 1
      await world.time.run(grow === 0 ? 2_000 : 600)
      expect([world.sender.logMayGoUpTo, world.reports]).toEqual([Infinity, ['snapshotFailed']])
      expect(world.leader.events).toContain('snapshot_given_up')
    }
  })
})

describe('the log behind an installed snapshot', () => {
  /** Up to 50 is installed; what the receiver acknowledges from there on is `matchIndex`. */
  async function following(): Promise<SnapshotWorld> {
    const world = new SnapshotWorld(ROWS)
    world.leader.matchIndex = 50
    world.want()
    await installed(world)
    return world
  }

  it('C15: is held up to where its receiver has not yet come, and no longer: a new snapshot would be as late', async () => {
    const world = await following()
    expect(world.sender.logMayGoUpTo).toBe(50)
    for (let index = 51; index < 90; index += 1) {
      await world.time.run(fixed.snapshotSilentMs - 1)
      world.leader.matchIndex = index
      expect(world.sender.logMayGoUpTo).toBe(index)
    }
  })

  it('is held for nobody who is no peer any more, acknowledges nothing, or takes too long; nor by one who leads no more', async () => {
    const ends: ((world: SnapshotWorld) => unknown)[] = [
      (world) => (world.leader.matchIndex = null),
      (world) => world.time.run(fixed.snapshotSilentMs + 1),
      (world) => (world.leader.logBytes += fixed.snapshotHoldBytes),
      (world) => world.sender.stop(),
    ]
    for (const end of ends) {
      const world = await following()
      expect(world.sender.logMayGoUpTo).toBe(50)
      await end(world)
      expect(world.sender.logMayGoUpTo).toBe(Infinity)
    }
    // One that acknowledges now and then has ten minutes, with what the snapshot took.
    const world = await following()
    for (let passed = 0; passed < fixed.snapshotHoldMs; passed += 5_000) {
      expect(world.sender.logMayGoUpTo).toBeLessThan(Infinity)
      await world.time.run(5_000)
      world.leader.matchIndex = (world.leader.matchIndex ?? 0) + 1
    }
    expect(world.sender.logMayGoUpTo).toBe(Infinity)
  })
})

describe('the snapshots of a node', () => {
  it('are so many at a time; who ends or gives up makes room, each once', () => {
    const traffic = new SnapshotTraffic()
    const started: number[] = []
    const leave = Array.from({ length: 8 }, (_, at) => traffic.enter(() => started.push(at)))
    expect(started).toEqual([0, 1, 2, 3])
    // One that waits gives up: it never starts.
    leave[4]?.()
    leave[0]?.()
    leave[0]?.()
    expect(started).toEqual([0, 1, 2, 3, 5])
    for (const end of leave) end()
    expect(started).toEqual([0, 1, 2, 3, 5, 6, 7])
    for (let at = 8; at < 12; at += 1) traffic.enter(() => started.push(at))
    expect(started).toHaveLength(11)
  })

  it('leave no faster than their rate', () => {
    const traffic = new SnapshotTraffic()
    expect(traffic.pace(fixed.snapshotBytesPerMs * 10, 1_000)).toBe(0)
    expect(traffic.pace(fixed.snapshotBytesPerMs, 1_004)).toBeCloseTo(6)
    expect(traffic.pace(1, 1_004)).toBeCloseTo(7)
    expect(traffic.pace(1, 5_000)).toBe(0)
  })
})
