// Bad input on both ports of running nodes, before and after a hello: refused, and nobody else notices.
import { decodePeerFrame, encodeClientFrame, encodeSection } from '@quorate/protocol'
import { createSeededRandom } from '@quorate/runtime'
import fc from 'fast-check'
import { expect, it, vi } from 'vitest'
import { TestCluster } from './fixture/cluster.ts'
import { clientHello, HostileCaller, peerHello } from './fixture/hostile-caller.ts'
import { absurdPeerFrame, below, damagedFrame, isLie, type Pair } from './fixture/hostile-frames.ts'
import { type TestClient, valueIn, written } from './fixture/test-client.ts'

// The work is some seconds of one core; where many share a machine that may take minutes.
vi.setConfig({ testTimeout: 600_000 })

const BATCHES = 100
const INPUTS_PER_BATCH = 1_000

/** n1 and n2 run; n3 is gone, and whoever likes speaks in its name. */
interface World {
  readonly cluster: TestCluster
  /** Real frames that n3 sent, some of each type. */
  readonly peerFrames: readonly Uint8Array[]
  readonly clientFrames: readonly Uint8Array[]
  /** n3's incarnation in each group. */
  readonly absent: ReadonlyMap<number, number>
  readonly values: Map<string, string>
  client: TestClient
  leader: string
}

const running = ['n1', 'n2'] as const

async function createWorld(): Promise<World> {
  const cluster = new TestCluster({ shards: 1 })
  const samples = new Map<string, Uint8Array[]>()
  cluster.hub.setFault((from, to, bytes) => {
    if (from === 'n3' && !to.startsWith('client')) sample(samples, bytes)
    return [0.2]
  })
  await cluster.formed()
  const { name } = await cluster.served()
  const client = await cluster.client(name)
  await cluster.wait(client.open())
  for (let at = 0; at < 40; at += 1) await cluster.wait(client.set(`before ${at}`, 'x'.repeat(at)))
  await cluster.run(500)
  cluster.hub.setFault(null)
  const absent = new Map(
    cluster
      .machine('n3')
      .status()
      ?.shards.map((one) => [one.group, one.incarnation]),
  )
  cluster.machine('n3').crash({ powerLoss: false })
  const group = 1
  const session = client.session ?? { group, version: 1 }
  const key = new Uint8Array(Buffer.from('hostile'))
  const commands = [{ op: 'incr' as const, sequence: 1, notAfter: 0, key, by: 1 }]
  const section = encodeSection({
    kind: 'commands',
    group,
    session: { ...session, version: 77 },
    ackedUpTo: 0,
    commands,
  })
  const requests = [
    { type: 'write' as const, requestId: 1, group, section },
    { type: 'read' as const, requestId: 2, section: { group, keys: [key, key] } },
    {
      type: 'write' as const,
      requestId: 3,
      group,
      section: encodeSection({ kind: 'openSession', group, notAfter: 1 }),
    },
  ]
  return {
    cluster,
    absent,
    peerFrames: [...samples.values()].flat(),
    clientFrames: [
      clientHello(),
      encodeClientFrame({ type: 'status', requestId: 4 }),
      encodeClientFrame({ type: 'requests', mapEpoch: 3, requests }),
    ],
    values: new Map(),
    client,
    leader: name,
  }
}

/** Up to ten of each type of frame, and of each type of message. */
function sample(samples: Map<string, Uint8Array[]>, bytes: Uint8Array): void {
  let type: string
  try {
    const frame = decodePeerFrame(bytes)
    type = frame.type === 'messages' ? (frame.messages[0]?.message.type ?? 'none') : frame.type
  } catch {
    return
  }
  const known = samples.get(type) ?? []
  if (known.length < 10) samples.set(type, [...known, bytes.slice()])
}

function pairsTo({ cluster, absent }: World, target: string): Pair[] {
  const shards = cluster.machine(target).status()?.shards ?? []
  return shards.map(({ group, incarnation, term }) => ({
    group,
    from: absent.get(group) ?? 1,
    to: incarnation,
    term,
  }))
}

/** Connections with one hostile input each, before or after a hello; returns how many inputs there were. */
function attack(world: World, seed: number): number {
  const random = createSeededRandom(seed)
  const { cluster } = world
  let inputs = 0
  for (const target of running) {
    const epoch = cluster.machine(target).status()?.mapEpoch ?? 0
    const pairs = pairsTo(world, target)
    const termOf = (group: number): number => pairs.find((pair) => pair.group === group)?.term ?? 0
    const stranger = peerHello(cluster, 'stranger', target, { clusterId: null })
    const hellos = [[], [peerHello(cluster, 'n3', target)], [stranger]]
    for (const end = inputs + INPUTS_PER_BATCH / running.length; inputs < end;) {
      if (below(random, 3) === 0) {
        const bytes = damagedFrame(random, world.clientFrames)
        const hello = below(random, 2) === 0 ? [] : [clientHello()]
        void new HostileCaller(cluster, 'client', target, [...hello, bytes])
      } else {
        const isDamaged = below(random, 2) === 0
        const bytes = isDamaged ? damagedFrame(random, world.peerFrames) : absurdPeerFrame(random, pairs)
        if (isLie(bytes, termOf, epoch)) continue
        void new HostileCaller(cluster, 'peer', target, [...(hellos[below(random, 3)] ?? []), bytes])
      }
      inputs += 1
    }
  }
  return inputs
}

/** Another client writes and reads: on its connection as long as that has a leader, as any client would. */
async function othersAreServed(world: World, batch: number): Promise<void> {
  const { cluster } = world
  const leader = await cluster.served()
  if (leader.name !== world.leader || world.client.closed !== null) {
    world.leader = leader.name
    world.client = await cluster.client(leader.name)
    await cluster.wait(world.client.open())
  }
  const [key, value] = [`key ${batch % 10}`, `value ${batch}`]
  if (!written(await cluster.wait(world.client.set(key, value)))) return
  world.values.set(key, value)
  expect(valueIn(await cluster.wait(world.client.get(key)))).toBe(value)
}

async function replicasAreEqual({ cluster }: World): Promise<void> {
  const shards = (): (string | undefined)[] =>
    running.map((name) => {
      const shard = cluster.machine(name).shard(1)
      return shard === null ? undefined : `${shard.state} ${shard.appliedIndex} ${shard.stateHash}`
    })
  await cluster.until('both replicas are at one state', () => {
    const [one, other] = shards()
    return one === other && one?.startsWith('live') === true
  })
}

it('E5 F4: 100,000 hostile inputs on every port and kind of connection halt nobody and disturb no other client', async () => {
  const world = await createWorld()
  const { cluster } = world
  const report = { inputs: 0, batches: 0 }
  const property = fc.asyncProperty(fc.integer(), async (seed) => {
    report.inputs += attack(world, seed)
    await cluster.run(50)
    for (const name of running) expect([name, cluster.machine(name).halted]).toEqual([name, null])
    await othersAreServed(world, report.batches)
    if (report.batches % 10 === 0) await replicasAreEqual(world)
    report.batches += 1
  })
  // A failure prints the seed; nothing can be shrunk, since every batch goes on where the one before ended.
  await fc.assert(property, { numRuns: BATCHES, endOnFailure: true })
  await replicasAreEqual(world)
  for (const [key, value] of world.values)
    expect(valueIn(await cluster.wait(world.client.get(key)))).toBe(value)
  for (let at = 0; at < 40; at += 1)
    expect(valueIn(await cluster.wait(world.client.get(`before ${at}`)))).toBe('x'.repeat(at))
  expect(report.inputs).toBeGreaterThanOrEqual(100_000)
  // The inputs were no harmless ones.
  const refusals = running.flatMap((name) => cluster.machine(name).events).map(({ code }) => code)
  expect(refusals.filter((code) => code === 'peer_bad_frame').length).toBeGreaterThan(10_000)
  expect(refusals.filter((code) => code === 'peer_fault').length).toBeGreaterThan(500)
  expect(refusals).not.toContain('replica_condemned')
})
