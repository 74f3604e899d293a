// The flight recorder: what it writes when something breaks runs again offline and comes to the same.
import { createRaft, type Input, type Raft, raftFromImage } from '@quorate/raft'
import { DiskError } from '@quorate/runtime'
import type { StateStore } from '@quorate/storage'
import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import { FlightDeck, FlightRing } from '../src/flight/flight-ring.ts'
import { encodeRecording, type Recording } from '../src/flight/recording.ts'
import { BadRecordingError, decodeRecording, replayRecording } from '../src/index.ts'
import { TestCluster } from './fixture/cluster.ts'
import { DATA, type Machine } from './fixture/machine.ts'
import { written } from './fixture/test-client.ts'

vi.setConfig({ testTimeout: 60_000 })

function recordingsOf({ disk }: Machine): Recording[] {
  const directory = `${DATA}/flight`
  return disk.disk.list(directory).map((name) => {
    const file = disk.disk.open(`${directory}/${name}`)
    const bytes = file.read(0, file.size())
    file.close()
    return decodeRecording(bytes)
  })
}

/** A store that has lost a row: what nobody can tell from a key that never was. */
const withoutRows = (store: StateStore): StateStore =>
  new Proxy(store, {
    get: (target, name) => {
      const value: unknown = Reflect.get(target, name, target)
      if (name === 'getMany')
        return async (...given: Parameters<StateStore['getMany']>) => {
          const rows = await target.getMany(...given)
          return given[0] === 1 ? rows.map(() => undefined) : rows
        }
      return typeof value === 'function' ? value.bind(target) : value
    },
  })

async function filled(): Promise<{ cluster: TestCluster; set: (key: string) => Promise<void> }> {
  const cluster = new TestCluster({ settings: { stateHashEvery: 8 } })
  const leader = await cluster.formed()
  const client = await cluster.client(leader.name)
  await cluster.wait(client.open())
  const set = async (key: string): Promise<void> => {
    expect(written(await cluster.wait(client.set(key, `value of ${key}`)))).toBe(true)
  }
  for (let at = 0; at < 20; at += 1) await set(`k${at}`)
  return { cluster, set }
}

describe('a state that the others do not have', () => {
  it('is recorded, and the recording comes to the very same wrong state', async () => {
    const { cluster, set } = await filled()
    const [victim] = cluster.followers()
    if (victim === undefined) throw new Error('a follower')
    await cluster.until('it is in a checkpoint', () => {
      const shard = victim.shard(1)
      return shard !== null && shard.checkpointIndex === shard.lastIndex
    })
    victim.crash({ powerLoss: false })
    victim.start({
      openStateStore: async (directory, dirId) => withoutRows(await victim.states.open(directory, dirId)),
    })
    await cluster.until('it is back', () => victim.shard(1)?.leader != null)
    for (let at = 0; at < 20; at += 1) await set(`k${at}`)
    await cluster.until('it is found out', () => victim.shard(1)?.state === 'condemned')
    await cluster.until('it is recorded', () => victim.events.some(({ code }) => code === 'flight_recorded'))
    const [recording] = recordingsOf(victim)
    if (recording === undefined) throw new Error('a recording')
    expect(recording).toMatchObject({ group: 1, node: victim.name, machineMissing: null })
    expect(recording.reason).toContain('a majority has')
    const replay = await replayRecording(recording)
    expect(replay.same).toBe(true)
    expect(replay.core.inputs).toBeGreaterThan(3)
    expect(replay.machine).toMatchObject({ same: true, asLive: true, broken: null })
    expect(replay.machine?.entries).toBeGreaterThan(0)
    // With the rows that it should have had, it comes to another state: the comparison can fail.
    const other = { ...recording, machine: { ...recording.machine, reads: [] } } as Recording
    await expect(replayRecording(other)).rejects.toThrow(BadRecordingError)
  })
})

describe('a recording that somebody asks for', () => {
  it('takes every replica of the node, without disturbing it, and replays', async () => {
    const { cluster, set } = await filled()
    const leader = cluster.leader()
    if (leader?.node == null) throw new Error('a leader')
    const paths = await cluster.wait(leader.node.record())
    expect(paths).toHaveLength(2)
    await set('and it goes on')
    const recordings = recordingsOf(leader)
    expect(recordings.map(({ group }) => group).toSorted((a, b) => a - b)).toEqual([0, 1])
    const ends = new Map<number, string | undefined>()
    for (const recording of recordings) {
      const replay = await replayRecording(recording)
      expect(replay).toMatchObject({ same: true, machine: { same: true, asLive: true } })
      ends.set(recording.group, replay.core.end?.role.name)
    }
    expect(ends.get(1)).toBe('leader')
    await expect(cluster.wait(leader.node.record(77))).rejects.toThrow(RangeError)
  })

  it('keeps the newest sixteen, over boots', async () => {
    const { cluster } = await filled()
    const [machine] = cluster.followers()
    if (machine?.node == null) throw new Error('a follower')
    for (let at = 0; at < 9; at += 1) await cluster.wait(machine.node.record())
    machine.crash({ powerLoss: true })
    machine.start()
    await cluster.until('it is back', () => machine.shard(1)?.leader != null)
    await cluster.wait(machine.node.record(1))
    const names = machine.disk.disk.list(`${DATA}/flight`)
    expect(names).toHaveLength(16)
    expect(names.at(-1)).toBe('000002-000001-group-1.flight')
  })
})

describe('a recording that there is no room for', () => {
  it('is refused while space is short, and leaves nothing behind where it does not fit', async () => {
    const { cluster } = await filled()
    const [machine] = cluster.followers()
    if (machine?.node == null) throw new Error('a follower')
    const { disk, node } = machine
    const before = disk.paths()
    disk.capacityBytes = disk.usedBytes + 1_000
    await expect(cluster.wait(node.record(1))).rejects.toThrow('too little space')
    expect(disk.paths()).toEqual(before)
    disk.capacityBytes = Number.MAX_SAFE_INTEGER
    for (const failing of ['write', 'sync'] as const) {
      disk.onBoundary = (operation, file) => {
        if (operation === failing && file.includes('/flight/')) throw new DiskError('ENOSPC', 'full')
      }
      await expect(cluster.wait(node.record(1))).rejects.toThrow('full')
      expect(disk.paths().filter((path) => path.includes('/flight/'))).toEqual([])
    }
    disk.onBoundary = null
    await cluster.wait(node.record(1))
    expect(recordingsOf(machine)).toHaveLength(1)
  })
})

describe('a broken core', () => {
  const draw = 0.5
  const newRaft = (): Raft =>
    createRaft({
      self: 1,
      startedAt: 0,
      draw,
      recovered: {
        hardState: { currentTerm: 0, votedFor: null },
        compacted: { index: 0, term: 0 },
        terms: [],
        lastIndex: 0,
        configurations: [
          { index: 0, configuration: { voters: [1], outgoing: [], learners: [], learnersNext: [] } },
        ],
        commitIndex: 0,
        appliedIndex: 0,
      },
    })

  const flown = (inputsPerLeg: number, ticks: number): { ring: FlightRing; raft: Raft } => {
    const raft = newRaft()
    const ring = new FlightRing(new FlightDeck(inputsPerLeg), raft)
    const step = (input: Input): void => {
      ring.record(input)
      const { persist } = raft.step(input)
      if (persist !== null) step({ type: 'persisted', number: persist.number, now: input.now, draw })
    }
    for (let at = 1; at <= ticks; at += 1) {
      step({ type: 'tick', now: at * 10, draw })
      if (raft.role === 'leader') step({ type: 'propose', bytes: 10, now: at * 10, draw })
    }
    return { ring, raft }
  }

  it('of many replicas that are busy one after the other keeps what it would of one, and each replays', () => {
    const leg = 50
    const deck = new FlightDeck(leg)
    const rafts = Array.from({ length: 40 }, () => newRaft())
    const rings = rafts.map((raft) => new FlightRing(deck, raft))
    const step = (at: number, input: Input): void => {
      rings[at]?.record(input)
      const { persist } = rafts[at]?.step(input) ?? { persist: null }
      if (persist !== null) step(at, { type: 'persisted', number: persist.number, now: input.now, draw })
    }
    for (let busy = 0; busy < rafts.length; busy += 1) {
      for (let tick = 1; tick <= 2 * leg; tick += 1) step(busy, { type: 'tick', now: tick * 10, draw })
      const kept = rings.reduce((sum, ring) => sum + ring.flight.inputs.length, 0)
      expect(kept).toBeLessThanOrEqual(2 * leg)
      for (const [at, ring] of rings.entries()) {
        const replay = raftFromImage(ring.flight.image)
        for (const input of ring.flight.inputs) replay.step(input)
        expect(replay.image()).toEqual(rafts[at]?.image())
      }
    }
    // One that was forgotten begins anew.
    step(0, { type: 'tick', now: 9_999, draw })
    expect(rings[0]?.flight.inputs).toHaveLength(1)
  })

  it('keeps no more of appends of many entries than of small inputs', () => {
    const raft = newRaft()
    const ring = new FlightRing(new FlightDeck(2_000), raft)
    const entries = Array.from({ length: 1_000 }, (_, at) => ({ index: at + 1, term: 1, bytes: 10 }))
    const message = { type: 'appendRequest', term: 1, previousIndex: 0, previousTerm: 0, entries } as const
    for (let at = 0; at < 20; at += 1)
      ring.record({
        type: 'message',
        from: 2,
        message: { ...message, commitIndex: 0 },
        now: at,
        draw,
      })
    expect(ring.flight.inputs.length).toBeLessThanOrEqual(3)
  })

  it('breaks in the same way when its flight is replayed', async () => {
    const { ring, raft } = flown(100, 200)
    const wrong: Input = { type: 'persisted', number: 1_000_000, now: 9_000, draw }
    ring.record(wrong)
    expect(() => raft.step(wrong)).toThrow(/persist 1000000 ended/)
    const { image, inputs } = ring.flight
    const recording: Recording = {
      reason: 'test',
      node: 'n1',
      at: 0,
      group: 1,
      incarnation: 1,
      core: { image, inputs, end: null, broken: 'InvariantViolation: HOST: persist 1000000 ended' },
      machine: null,
      machineMissing: 'the node halted',
    }
    const replay = await replayRecording(decodeRecording(encodeRecording(recording)))
    expect(replay.core.broken).toMatch(/persist 1000000 ended/)
    expect(replay.same).toBe(replay.core.broken === recording.core.broken)
    const asItWas = { ...recording, core: { ...recording.core, broken: replay.core.broken } }
    expect((await replayRecording(asItWas)).same).toBe(true)
    const shorter = { ...asItWas, core: { ...asItWas.core, inputs: inputs.slice(0, -1) } }
    expect((await replayRecording(shorter)).same).toBe(false)
  })

  it('keeps between one and two legs of inputs, and comes to the present state from each of them', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 150 }), (leg, ticks) => {
        const { ring, raft } = flown(leg, ticks)
        const { image, inputs } = ring.flight
        expect(inputs.length).toBeLessThanOrEqual(2 * leg)
        const replay = raftFromImage(image)
        for (const input of inputs) replay.step(input)
        expect(replay.image()).toEqual(raft.image())
      }),
      { numRuns: 60 },
    )
  })
})

describe('a file that is no recording', () => {
  it('is refused: other bytes, a part, a flipped bit', async () => {
    const { cluster } = await filled()
    const leader = cluster.leader()
    if (leader?.node == null) throw new Error('a leader')
    await cluster.wait(leader.node.record(1))
    const [recording] = recordingsOf(leader)
    if (recording === undefined) throw new Error('a recording')
    const bytes = encodeRecording(recording)
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
        const flipped = Uint8Array.from(bytes)
        flipped[at] = (flipped[at] ?? 0) ^ change
        expect(() => decodeRecording(flipped)).toThrow(BadRecordingError)
        expect(() => decodeRecording(bytes.subarray(0, at))).toThrow(BadRecordingError)
      }),
      { numRuns: 200 },
    )
  })
})
