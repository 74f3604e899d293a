// Leaderships spread by transfers: the plan converges, never hands back, and ends within one where placement is even.
import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import { type LedShard, planTransfer } from '../src/members/plan-transfer.ts'
import { TestCluster } from './fixture/cluster.ts'

// Virtual time costs real time where many share a machine.
vi.setConfig({ testTimeout: 120_000 })

/** Which node leads each shard, and which host it. */
interface World {
  readonly hosts: readonly (readonly number[])[]
  readonly leader: number[]
}

const name = (node: number): string => `n${node}`
const count = ({ leader }: World, node: number): number => leader.filter((one) => one === node).length

function act(world: World, nodes: number, self: number): { shard: number; to: number } | null {
  const shards: LedShard[] = []
  for (const [shard, leader] of world.leader.entries())
    if (leader === self)
      shards.push({
        group: shard,
        heirs: (world.hosts[shard] ?? []).filter((host) => host !== self).map(name),
      })
  const loads = new Map(
    Array.from({ length: nodes }, (_, node) => node)
      .filter((node) => node !== self)
      .map((node) => [name(node), count(world, node)] as const),
  )
  const transfer = planTransfer({ leads: count(world, self), loads, shards })
  return transfer === null ? null : { shard: transfer.group, to: Number(transfer.to.slice(1)) }
}

const worlds = fc
  .record({
    nodes: fc.integer({ min: 1, max: 9 }),
    shards: fc.integer({ min: 1, max: 64 }),
    everywhere: fc.boolean(),
    seed: fc.array(fc.nat(1_000), { minLength: 64, maxLength: 64 }),
  })
  .map(({ nodes, shards, everywhere, seed }) => {
    const replicas = everywhere ? nodes : Math.min(3, nodes)
    const hosts = Array.from({ length: shards }, (_, shard) =>
      Array.from({ length: replicas }, (_unused, at) => ((seed[shard] ?? 0) + at) % nodes),
    )
    const leader = hosts.map((of, shard) => of[(seed[63 - shard] ?? 0) % of.length] ?? 0)
    return { nodes, everywhere, world: { hosts, leader } }
  })

describe('the plan of transfers', () => {
  it('converges in whatever order nodes look, hands nothing back, and is within one where every node hosts every shard', () => {
    fc.assert(
      fc.property(worlds, fc.infiniteStream(fc.nat(8)), ({ nodes, everywhere, world }, order) => {
        let squares = Infinity
        let still = 0
        for (const pick of order) {
          const self = pick % nodes
          const move = act(world, nodes, self)
          if (move !== null) world.leader[move.shard] = move.to
          const now = Array.from({ length: nodes }, (_, node) => count(world, node) ** 2).reduce(
            (a, b) => a + b,
            0,
          )
          // Strictly less with every transfer: so there is no way back, and an end.
          expect(now).toBeLessThanOrEqual(squares)
          expect(move === null || now < squares).toBe(true)
          squares = now
          still = move === null ? still + 1 : 0
          if (
            still > 0 &&
            Array.from({ length: nodes }, (_, node) => act(world, nodes, node)).every((one) => one === null)
          )
            break
        }
        const counts = Array.from({ length: nodes }, (_, node) => count(world, node))
        expect(!everywhere || Math.max(...counts) - Math.min(...counts) <= 1).toBe(true)
      }),
      { numRuns: 200 },
    )
  })

  it('settles also where all nodes look at once with counts that are late, as long as they do not always look at once', () => {
    fc.assert(
      fc.property(worlds, fc.infiniteStream(fc.nat(511)), ({ nodes, world }, sets) => {
        let rounds = 0
        for (const set of sets) {
          const moves = Array.from({ length: nodes }, (_, node) =>
            // Each node looks in some rounds only: the pause between looks is random.
            ((set >> node) & 1) === 1 ? act(world, nodes, node) : null,
          )
          for (const move of moves) if (move !== null) world.leader[move.shard] = move.to
          rounds += 1
          if (
            Array.from({ length: nodes }, (_, node) => act(world, nodes, node)).every((one) => one === null)
          )
            break
          expect(rounds).toBeLessThan(2_000)
        }
      }),
      { numRuns: 200 },
    )
  })

  it('takes only heirs, and nobody whose count it does not know', () => {
    const shards = [
      { group: 1, heirs: ['n1'] },
      { group: 2, heirs: [] },
    ]
    expect(planTransfer({ leads: 5, loads: new Map([['n2', 0]]), shards })).toBe(null)
    expect(planTransfer({ leads: 5, loads: new Map([['n1', 4]]), shards })).toBe(null)
    expect(
      planTransfer({
        leads: 5,
        loads: new Map([
          ['n1', 3],
          ['n2', 0],
        ]),
        shards,
      }),
    ).toEqual({ group: 1, to: 'n1' })
  })
})

describe('the leaders of a cluster', () => {
  const leads = (cluster: TestCluster): number[] =>
    cluster.machines.map(
      (machine) =>
        machine.status()?.shards.filter((shard) => shard.group > 0 && shard.role === 'leader').length ?? 0,
    )

  it('are spread within one, stay where they are then, and come back to a node that was away', async () => {
    const cluster = new TestCluster({ shards: 6, settings: { balanceLeadersMs: 200 } })
    cluster.start()
    const even = (): boolean => leads(cluster).join() === '2,2,2'
    await cluster.until('leaders are spread', even, 60_000)
    const terms = (): string =>
      cluster.machines
        .map((one) =>
          one
            .status()
            ?.shards.map((shard) => shard.term)
            .join(),
        )
        .join()
    const before = terms()
    await cluster.run(3_000)
    expect(terms()).toBe(before)
    const [away] = cluster.machines
    away?.crash({ powerLoss: false })
    await cluster.until('the others lead everything', () => leads(cluster).join() === '0,3,3', 60_000)
    // Whatever was tried with it before is over: only its return counts.
    await cluster.run(15_000)
    away?.start()
    const backAt = cluster.time.nowMs
    await cluster.until('it leads again', () => (leads(cluster)[0] ?? 0) > 0, 60_000)
    // Twenty looks of 200 ms: until then it is handed nothing.
    expect(cluster.time.nowMs - backAt).toBeGreaterThanOrEqual(4_000)
    await cluster.until('it leads its share again', even, 60_000)
  })

  it('stay where they are where that is wanted', async () => {
    const cluster = new TestCluster({ shards: 4, settings: { balanceLeadersMs: 0 } })
    cluster.start()
    await cluster.until('all are led', () => leads(cluster).reduce((a, b) => a + b, 0) === 4)
    cluster.machine('n1').crash({ powerLoss: false })
    await cluster.until('the others lead', () => leads(cluster).reduce((a, b) => a + b, 0) === 4)
    cluster.machine('n1').start()
    await cluster.run(5_000)
    expect(leads(cluster)[0]).toBe(0)
  })
})
