// Random networks, disks, crashes, members and snapshots over real cores: the properties of Figure 3.2 and of leases hold at
// every step (support/properties.ts, support/world.ts).
import fc from 'fast-check'
import { describe, expect, test, vi } from 'vitest'
import { heal } from './support/chaos.ts'
import { describeWorld, numRuns, run, runsTimeoutMs, scenarios } from './support/scenario.ts'

vi.setConfig({ testTimeout: runsTimeoutMs })

describe('Figure 3.2, under loss, duplication, reordering, crashes with lost writes, transfers, snapshots, and membership changes', () => {
  test('election safety, append-only leaders, log matching, leader completeness, state machine safety, no stale read (A1 A3 A5 A18 B1 B3 B4 B6 B9 B11 B12 B13 B17 C8)', () => {
    const floor = { committed: 0, answered: 0, terms: 0, installations: 0, changes: 0, transfers: 0 }
    fc.assert(
      fc.property(scenarios, (given) => {
        const world = run(given)
        floor.committed += world.properties.committed.size
        floor.answered += world.reads.size
        floor.terms += Math.max(...[...world.hosts.values()].map(({ raft }) => raft?.currentTerm ?? 0))
        floor.installations += world.seen.installations
        floor.changes += world.seen.changes
        floor.transfers += world.seen.transfers
      }),
      { numRuns },
    )
    // The floor: runs in which nothing happens prove nothing.
    expect(floor.committed).toBeGreaterThan(numRuns * 10)
    expect(floor.answered).toBeGreaterThan(numRuns)
    expect(floor.terms).toBeGreaterThan(numRuns * 2)
    expect(floor.installations).toBeGreaterThan(numRuns / 2)
    expect(floor.changes).toBeGreaterThan(numRuns * 2)
    expect(floor.transfers).toBeGreaterThan(numRuns / 2)
  })

  test('once healed, one leader commits, every member applies the same, every read ends (A7 A13 A14 B7 B14 B15 E9 F2)', () => {
    fc.assert(
      fc.property(scenarios, (given) => {
        const world = run(given)
        heal(world)
        const [leader, ...others] = world.leaders
        expect(others.map(({ id }) => id)).toEqual([])
        if (leader?.raft === null || leader === undefined)
          throw new Error(`nobody leads: ${describeWorld(world)}`)
        const before = world.properties.committedIndex
        const tag = world.read(leader.id)
        expect(world.propose(leader.id)?.dropped).toBe(null)
        world.settle(300)
        expect(world.properties.committedIndex).toBeGreaterThan(before)
        expect(world.reads.get(tag)).toBeGreaterThanOrEqual(before)
        expect(leader.raft.configuration.outgoing).toEqual([])
        const { voters, learners } = leader.raft.configuration
        for (const member of [...voters, ...learners])
          expect(world.host(member).state, `state of ${member}`).toEqual(leader.state)
      }),
      { numRuns: Math.ceil(numRuns / 2) },
    )
  })
})
