// Deadlines: what expires, when, and that every replica agrees, whatever of its index it holds in memory (time.md).
import { type Command, limits, type Result, type Section } from '@quorate/protocol'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { BadStateError, rowKind } from '../src/index.ts'
import { deadlineSteps, manyKeys } from './support/deadline-steps.ts'
import { commandsEntry, foundFor, GROUP, Replica } from './support/replica.ts'
import { Run } from './support/run-scenario.ts'

const key = new TextEncoder().encode('k')
const other = new TextEncoder().encode('other')
const session = { group: GROUP, version: 1 }
const never = Number.MAX_SAFE_INTEGER
const always = { type: 'always' } as const
const open: Section = { kind: 'openSession', group: GROUP, notAfter: never }
const tick: Section = { kind: 'tick', group: GROUP }

type Body = {
  [Op in Command['op']]: Omit<Extract<Command, { op: Op }>, 'sequence' | 'notAfter'>
}[Command['op']]

const set = (ttl: number, at = key): Body => ({
  op: 'set',
  key: at,
  value: { type: 'integer', integer: 7 },
  condition: always,
  ttl,
})
const touch = (ttl: number): Body => ({ op: 'touch', key, condition: always, ttl })
const persist: Body = { op: 'persist', key, condition: always }
const del: Body = { op: 'del', key, condition: always }
const incr: Body = { op: 'incr', key, by: 1 }

/** A shard with one session, driven one command or section at a time. */
class Shard {
  readonly replica: Replica
  #sequence = 0

  constructor(window = 2, stamp = 1_000) {
    this.replica = new Replica(0, window)
    this.replica.append(commandsEntry(stamp, open, foundFor([key, other, ...manyKeys], 4)))
  }

  /** The result and the version of its position. */
  run(stamp: number, body: Body): Result & { readonly at: number } {
    this.#sequence += 1
    const command = { ...body, sequence: this.#sequence, notAfter: never } as Command
    const section: Section = {
      kind: 'commands',
      group: GROUP,
      session,
      ackedUpTo: this.#sequence - 1,
      commands: [command],
    }
    const [[answer] = []] = this.replica.append(commandsEntry(stamp, section))
    if (answer?.type !== 'applied') throw new Error(`not applied: ${answer?.code}`)
    return { ...answer.result, at: answer.position.version }
  }

  sweep(stamp: number, limit = 10): string[] {
    this.replica.append(commandsEntry(stamp, { kind: 'sweep', group: GROUP, limit }))
    return this.replica.state.removals.map(({ key: gone }) => new TextDecoder().decode(gone))
  }

  /** When the key ends: ms, null = never, undefined = there is none. */
  expiresAt(t: number, at = key): number | null | undefined {
    const [answer] = this.replica.read([at], t)
    if (answer?.type !== 'applied') throw new Error('not applied')
    if (answer.result.type !== 'entry') return undefined
    return answer.result.expiresAt === 0 ? null : answer.result.expiresAt
  }
}

describe('a shard whose keys expire', () => {
  test('C12 H6 H8: answers, removes and hashes as the model does, whatever its window, checkpoints, restores and delayed scans', () => {
    fc.assert(
      fc.property(
        deadlineSteps,
        fc.constantFrom(1, 2, 5, 1_000),
        fc.constantFrom(0, 500),
        (steps, window, hot) => {
          const run = new Run(hot, window, manyKeys)
          for (const step of steps) run.step(step)
          run.finish(manyKeys)
        },
      ),
      { numRuns: 60 },
    )
  })

  test('H6: has the same state as every other one, whatever the clock of its machine and the history of its checkpoints', () => {
    fc.assert(
      fc.property(deadlineSteps, deadlineSteps, (steps, others) => {
        const [one, two] = [new Run(0, 1, manyKeys), new Run(1_000_000, 1_000, manyKeys)]
        const hosts = others.filter((step) => step.do !== 'entry' && step.do !== 'read')
        for (const [at, step] of steps.entries()) {
          one.step(step)
          if (step.do === 'entry') two.step(step)
          const host = hosts[at]
          if (host !== undefined) two.step(host)
        }
        expect(one.replica.state.stateHash()).toBe(two.replica.state.stateHash())
      }),
      { numRuns: 25 },
    )
  })

  test('H7: keeps a key for exactly its time to live of log clock, from its application on', () => {
    const shard = new Shard()
    shard.run(5_000, set(1_000))
    expect(shard.expiresAt(5_999)).toBe(6_000)
    expect(shard.sweep(5_999)).toEqual([])
    expect(shard.expiresAt(5_999)).toBe(6_000)
    shard.replica.append(commandsEntry(6_000, tick))
    expect(shard.expiresAt(6_000)).toBeUndefined()
  })

  test('takes an expired entry for absent in every command, long before it is swept', () => {
    const bodies: [Body, Partial<Result>][] = [
      [del, { type: 'deleted', existed: false }],
      [touch(9), { type: 'touched', version: 0 }],
      [persist, { type: 'touched', version: 0 }],
      [
        { ...persist, condition: { type: 'ifPresent' } },
        { type: 'lost', version: 0, value: null },
      ],
      [
        { ...del, condition: { type: 'ifVersion', version: 2 } },
        { type: 'lost', version: 0, value: null },
      ],
      [incr, { type: 'counted', integer: 1 }],
      [{ ...set(0), condition: { type: 'ifAbsent' } } as Body, { type: 'written', version: 3 }],
    ]
    for (const [body, result] of bodies) {
      const shard = new Shard()
      expect(shard.run(5_000, set(100))).toMatchObject({ version: 2 })
      expect(shard.run(5_099, { ...del, condition: { type: 'ifVersion', version: 9 } })).toMatchObject({
        version: 2,
      })
      expect(shard.run(5_100, body), body.op).toMatchObject(result)
      expect(shard.replica.state.stats.keys).toBe(1)
    }
  })

  test('H8: overwriting an expired entry begins anew, and the sweep of the old deadline spares it', () => {
    const shard = new Shard()
    shard.run(5_000, set(100))
    shard.replica.checkpoint()
    expect(shard.run(6_000, incr)).toMatchObject({ integer: 1, version: 3 })
    expect(shard.expiresAt(6_000)).toBeNull()
    expect(shard.sweep(7_000)).toEqual([])
    shard.replica.checkpoint()
    expect(shard.sweep(8_000)).toEqual([])
    expect(shard.expiresAt(8_000)).toBeNull()
  })
})

describe('a deadline', () => {
  test('takes a version when it changes, and none when it does not', () => {
    const shard = new Shard()
    expect(shard.run(5_000, set(0))).toMatchObject({ type: 'written', version: 2 })
    expect(shard.run(5_000, persist)).toMatchObject({ type: 'touched', version: 2, at: 2 })
    expect(shard.run(5_000, touch(500))).toMatchObject({ type: 'touched', version: 3, at: 3 })
    expect(shard.run(5_000, touch(500))).toMatchObject({ type: 'touched', version: 3, at: 3 })
    expect(shard.run(5_100, touch(500))).toMatchObject({ type: 'touched', version: 4, at: 4 })
    expect(shard.run(5_100, persist)).toMatchObject({ type: 'touched', version: 5, at: 5 })
    expect(shard.expiresAt(5_100)).toBeNull()
  })

  test('stays with incr, goes with a set without one, and is changed on a condition like all else', () => {
    const shard = new Shard()
    shard.run(5_000, set(500))
    shard.run(5_100, incr)
    expect(shard.expiresAt(5_100)).toBe(5_500)
    const lost = shard.run(5_100, { ...touch(900), condition: { type: 'ifVersion', version: 2 } } as Body)
    expect(lost).toMatchObject({ type: 'lost', version: 3 })
    shard.run(5_100, set(0))
    expect(shard.expiresAt(9_000)).toBeNull()
  })

  test('H7: of a retry is that of the first application', () => {
    const shard = new Shard()
    const command = { ...set(500), sequence: 1, notAfter: never } as Command
    const section: Section = { kind: 'commands', group: GROUP, session, ackedUpTo: 0, commands: [command] }
    const first = shard.replica.append(commandsEntry(5_000, section))
    expect(shard.replica.append(commandsEntry(5_400, section))).toEqual(first)
    expect(shard.expiresAt(5_400)).toBe(5_500)
  })

  test('never leaves the safe integers, whatever the stamp', () => {
    const shard = new Shard(2, Number.MAX_SAFE_INTEGER - 6)
    shard.run(Number.MAX_SAFE_INTEGER - 5, set(limits.ttlMs))
    expect(shard.expiresAt(Number.MAX_SAFE_INTEGER - 5)).toBe(Number.MAX_SAFE_INTEGER)
  })
})

describe('a sweep', () => {
  test('removes in (deadline, key) order, up to its limit, each with a version and a report', () => {
    const shard = new Shard(1)
    const names = ['k3', 'k1', 'k2', 'k0']
    for (const [at, name] of names.entries())
      shard.run(5_000, set(at < 2 ? 200 : 100, new TextEncoder().encode(name)))
    shard.replica.checkpoint()
    expect(shard.sweep(5_300, 3)).toEqual(['k0', 'k2', 'k1'])
    expect(
      shard.replica.state.removals.map(({ version, removedVersion }) => [version, removedVersion]),
    ).toEqual([
      [6, 5],
      [7, 4],
      [8, 3],
    ])
    expect(shard.replica.state.removals[0]).toMatchObject({ cause: 'expired', slotEpoch: 4, deadline: 5_100 })
    expect(shard.replica.state.stats.keys).toBe(1)
    expect(shard.sweep(5_300, 3)).toEqual(['k3'])
    expect(shard.sweep(5_300, 3)).toEqual([])
    expect(shard.replica.state.earliestDeadline).toBeNull()
    expect(shard.replica.state.overlayBytes).toBeGreaterThan(0)
  })

  test('asks for the index and then for the rows, and is refused a host that leaves one out', () => {
    const shard = new Shard(1)
    shard.run(5_000, set(100))
    shard.replica.checkpoint()
    shard.replica.restart()
    const { state } = shard.replica
    const entry = {
      index: state.appliedIndex + 1,
      term: 1,
      ...commandsEntry(6_000, { kind: 'sweep', group: GROUP, limit: 5 }),
    }
    expect(state.prefetch(entry)).toEqual([])
    expect(state.scan).toMatchObject({ kind: rowKind.deadline, slot: 0, limit: 1 })
    expect(() => state.apply(entry, [])).toThrow(/without its scan/)
    shard.replica.apply(entry)
    expect(state.removals).toHaveLength(1)
  })

  test('stops the replica before anything changes where index and entries do not agree', () => {
    const shard = new Shard(5)
    shard.run(5_000, set(100))
    shard.replica.checkpoint()
    shard.replica.restart()
    const { state } = shard.replica
    const entry = {
      index: state.appliedIndex + 1,
      term: 1,
      ...commandsEntry(6_000, { kind: 'sweep', group: GROUP, limit: 5 }),
    }
    state.prefetch(entry)
    const { scan } = state
    if (scan === null) throw new Error('no scan')
    scan.complete(shard.replica.scan(scan))
    const hash = state.stateHash()
    expect(state.prefetch(entry)).toHaveLength(1)
    expect(() => state.apply(entry, [undefined])).toThrow(BadStateError)
    expect(state.stateHash()).toBe(hash)
    for (const bad of [Uint8Array.of(1, 2), new Uint8Array(9), new Uint8Array(9).fill(255)])
      expect(() =>
        new Shard().replica.state.lookAhead()?.complete([{ key: bad, value: Uint8Array.of(1) }]),
      ).not.toThrow()
  })
})

describe('what a scan brings', () => {
  const nameAt = (at: number) => new TextEncoder().encode(`k${at}`)
  const scanned = (shard: Shard) => {
    const scan = shard.replica.state.lookAhead()
    if (scan === null) throw new Error('nothing to look for')
    return { scan, rows: shard.replica.scan(scan) }
  }

  test('is of no use once a checkpoint was released that it may not show', () => {
    const shard = new Shard(9)
    shard.run(5_000, set(100, nameAt(0)))
    shard.replica.checkpoint()
    shard.replica.restart()
    const old = scanned(shard)
    shard.run(5_000, set(200, nameAt(1)))
    shard.replica.checkpoint()
    old.scan.complete(old.rows)
    expect(shard.replica.state.earliestDeadline).toBe('unknown')
    expect(shard.sweep(6_000)).toEqual(['k0', 'k1'])
  })

  test('is of no use once the window has moved on', () => {
    const shard = new Shard(2)
    for (let at = 0; at < 5; at += 1) shard.run(5_000, set(100 + at, nameAt(at)))
    shard.replica.checkpoint()
    shard.replica.restart()
    const [first, late] = [scanned(shard), scanned(shard)]
    first.scan.complete(first.rows)
    expect(shard.replica.state.earliestDeadline).toBe(5_100)
    expect(shard.sweep(5_101)).toEqual(['k0', 'k1'])
    // The sweep looked further than it took.
    expect(shard.replica.state.earliestDeadline).toBe(5_102)
    late.scan.complete(late.rows)
    expect(shard.sweep(6_000)).toEqual(['k2', 'k3', 'k4'])
    expect(shard.sweep(6_000)).toEqual([])
  })
})

describe('a read', () => {
  test('of what expires between the log clock and its t waits for a tick, and then shows it gone at the same t', () => {
    const shard = new Shard()
    shard.run(5_000, set(100))
    const { state } = shard.replica
    expect(shard.expiresAt(5_099)).toBe(5_100)
    expect(state.beginRead([key], 5_100)).toEqual({ type: 'tick', t: 5_100 })
    shard.replica.append(commandsEntry(5_100, tick))
    expect(shard.replica.read([key], 5_100)).toMatchObject([
      { position: { version: 2, t: 5_100 }, result: { type: 'absent' } },
    ])
  })

  test('that fetched its row waits for the tick too', () => {
    const shard = new Shard()
    shard.run(5_000, set(100))
    shard.replica.checkpoint()
    const { state } = shard.replica
    const step = state.beginRead([key], 5_200)
    if (step.type !== 'fetch') throw new Error(step.type)
    const rows = step.rows.map((row) => shard.replica.get(row))
    expect(state.completeRead(step.ticket, rows)).toEqual({ type: 'tick', t: 5_200 })
  })

  test('whose tick came late is evaluated at the log clock: what it does not see has expired at its t', () => {
    const shard = new Shard()
    shard.run(5_000, set(100))
    shard.run(5_000, set(150, other))
    const { state } = shard.replica
    expect(state.beginRead([key, other], 5_100)).toEqual({ type: 'tick', t: 5_100 })
    shard.sweep(5_200)
    expect(shard.replica.read([other], 5_100)).toMatchObject([
      { position: { t: 5_200 }, result: { type: 'absent' } },
    ])
  })
})
