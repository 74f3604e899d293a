// Bad input on both ports of running nodes, before and after a hello: refused, and nobody else notices.
import {
  channels,
  type ClientReply,
  decodePeerFrame,
  encodeClientFrame,
  encodeSection,
} from '@quorate/protocol'
import { createSeededRandom, type Random } from '@quorate/runtime'
import fc from 'fast-check'
import { expect, it, vi } from 'vitest'
import { TestCluster } from './fixture/cluster.ts'
import { clientHello, HostileCaller, peerHello } from './fixture/hostile-caller.ts'
import { HostileChain } from './fixture/hostile-chain.ts'
import {
  absurdPeerFrame,
  below,
  type Beliefs,
  damagedFrame,
  isLie,
  oddChannel,
  type Pair,
} from './fixture/hostile-frames.ts'
import { codeOf, type TestClient, valueIn, written } from './fixture/test-client.ts'

// The work is some seconds of one core; where many share a machine that may take minutes.
vi.setConfig({ testTimeout: 600_000 })

const BATCHES = 100
/** Of a request that is refused while leadership moves. */
const ATTEMPTS = 20
/** Of one batch, for each of the two nodes; 1,000 in all. */
const inputs = {
  /** One connection each. */
  client: { beforeHello: 60, afterHello: 65 },
  peerBeforeHello: 75,
  /** One link after the other. */
  absent: 180,
  strangers: 6,
  perStranger: 20,
}

/** n1 and n2 run; n3 is gone, and whoever likes speaks in its name. */
interface World {
  readonly cluster: TestCluster
  /** Real frames that n3 sent, some of each type. */
  readonly peerFrames: readonly Uint8Array[]
  readonly clientFrames: readonly Uint8Array[]
  /** n3's incarnation in each group. */
  readonly absent: ReadonlyMap<number, number>
  readonly values: Map<string, string>
  random: Random
  client: TestClient
  leader: string
}

const running = ['n1', 'n2'] as const
/** Far above every real boot of n3. */
const FIRST_HOSTILE_BOOT = 1_000

async function createWorld(): Promise<World> {
  const cluster = new TestCluster({ shards: 1 })
  const samples = new Map<string, Uint8Array[]>()
  cluster.hub.setFault((from, to, bytes) => {
    if (from === 'n3' && !to.startsWith('client')) sample(samples, bytes)
    return [0.2]
  })
  await cluster.formed()
  const { name } = await cluster.served()
  const first = await cluster.client(name)
  await cluster.wait(first.open())
  for (let at = 0; at < 40; at += 1) await cluster.wait(first.set(`before ${at}`, 'x'.repeat(at)))
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
  const session = first.session ?? { group, version: 1 }
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
    random: createSeededRandom(0),
    client: first,
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

/** What the node holds true now, and what n3 could talk about with it. */
function beliefsOf(
  { cluster, absent }: World,
  target: string,
  isMember: boolean,
): Beliefs & { readonly pairs: Pair[] } {
  const status = cluster.machine(target).status()
  const shards = status?.shards ?? []
  const pairs = shards.map(({ group, incarnation, term }) => ({
    group,
    from: absent.get(group) ?? 1,
    to: incarnation,
    term,
  }))
  return {
    mapEpoch: status?.mapEpoch ?? 0,
    replicas: new Map(shards.map((one) => [one.group, one])),
    isMember,
    pairs,
  }
}

function peerInput(world: World, target: string, random: Random, isMember: boolean): Uint8Array {
  for (;;) {
    const beliefs = beliefsOf(world, target, isMember)
    const isDamaged = below(random, 2) === 0
    const bytes = isDamaged ? damagedFrame(random, world.peerFrames) : absurdPeerFrame(random, beliefs.pairs)
    if (!isLie(bytes, beliefs)) return bytes
  }
}

/** Links of one directory to one node: in most cases each of a new boot, so that all of its heartbeats count. */
function createChain(world: World, target: string, name: string, dirId?: string): HostileChain {
  const { cluster, random } = world
  const identity = dirId === undefined ? {} : { dirId, clusterId: null }
  let boot = FIRST_HOSTILE_BOOT
  return new HostileChain({
    cluster,
    target,
    hello: () => {
      if (below(random, 4) > 0) boot += 1
      // What its absurd heartbeats say to be synced may be anything, and is remembered over its boots.
      return peerHello(cluster, name, target, { ...identity, boot, recoveredLog: Number.MAX_SAFE_INTEGER })
    },
    input: () => {
      const bytes = peerInput(world, target, random, dirId === undefined)
      return { bytes, channel: oddChannel(random, bytes) }
    },
    redials: () => below(random, 16) === 0,
  })
}

function createChains(world: World): readonly { readonly chain: HostileChain; readonly inputs: number }[] {
  return running.flatMap((target) => [
    { chain: createChain(world, target, 'n3'), inputs: inputs.absent },
    ...Array.from({ length: inputs.strangers }, (_, at) => ({
      chain: createChain(world, target, `stranger${at}`, `${at}`.repeat(32)),
      inputs: inputs.perStranger,
    })),
  ])
}

/** It would be n3 come back in a later life, and shut out the chain of links in its name. */
function isLaterLife(bytes: Uint8Array, dirId: string): boolean {
  try {
    const frame = decodePeerFrame(bytes)
    return frame.type === 'hello' && frame.dirId === dirId && frame.boot >= FIRST_HOSTILE_BOOT
  } catch {
    return false
  }
}

type Alone = 'client before hello' | 'client after hello' | 'peer before hello'

/** Connections with one hostile input each. */
function attackAlone(world: World, target: string): [Alone, HostileCaller][] {
  const { cluster, random, clientFrames } = world
  const dirId =
    cluster
      .machine(target)
      .status()
      ?.nodes.find(({ name }) => name === 'n3')?.dirId ?? ''
  const callers: [Alone, HostileCaller][] = []
  for (let left = inputs.client.beforeHello; left > 0; left -= 1) {
    const frames = [damagedFrame(random, clientFrames)]
    callers.push(['client before hello', new HostileCaller(cluster, 'client', target, frames)])
  }
  for (let left = inputs.client.afterHello; left > 0; left -= 1) {
    const frames = [clientHello(), damagedFrame(random, clientFrames)]
    callers.push(['client after hello', new HostileCaller(cluster, 'client', target, frames)])
  }
  for (let left = inputs.peerBeforeHello; left > 0;) {
    const bytes = peerInput(world, target, random, true)
    if (isLaterLife(bytes, dirId)) continue
    left -= 1
    callers.push(['peer before hello', new HostileCaller(cluster, 'peer', target, [bytes])])
  }
  return callers
}

/**
 * A client with a session of whoever leads: the one before as long as that has a leader. A candidate nobody asked for is bad
 * luck and no harm: what is refused because leadership moves is asked again, as any client would.
 */
async function client(world: World): Promise<TestClient> {
  const { cluster } = world
  for (let attempts = ATTEMPTS; attempts > 0; attempts -= 1) {
    const leader = await cluster.served()
    const isOn = leader.name === world.leader && world.client.closed === null
    if (isOn && world.client.session !== null) return world.client
    world.leader = leader.name
    world.client = await cluster.client(leader.name)
    await cluster.wait(world.client.open())
  }
  throw new Error(`no session\n${cluster.describe()}`)
}

async function reply(
  world: World,
  ask: (client: TestClient) => ReturnType<TestClient['get']>,
): Promise<ClientReply> {
  for (let attempts = ATTEMPTS; attempts > 0; attempts -= 1) {
    const heard = await world.cluster.wait(ask(await client(world)))
    if (codeOf(heard) !== 'refused NOT_LEADER') return heard
  }
  throw new Error(`nobody leads\n${world.cluster.describe()}`)
}

const valueOf = async (world: World, key: string): Promise<string | null> =>
  valueIn(await reply(world, (one) => one.get(key)))

/** Another client writes and reads; returns how many of its writes were carried out for sure. */
async function othersAreServed(world: World, batch: number): Promise<number> {
  const [key, value] = [`key ${batch % 10}`, `value ${batch}`]
  if (!written(await reply(world, (one) => one.set(key, value)))) {
    world.values.delete(key)
    return 0
  }
  world.values.set(key, value)
  expect(await valueOf(world, key)).toBe(value)
  return 1
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
  const chains = createChains(world)
  const delivered = { 'client before hello': 0, 'client after hello': 0, 'peer before hello': 0 }
  let [batches, served] = [0, 0]
  const property = fc.asyncProperty(fc.integer(), async (seed) => {
    world.random = createSeededRandom(seed)
    const callers = running.flatMap((target) => attackAlone(world, target))
    for (const { chain, inputs: count } of chains) chain.attack(count)
    await cluster.run(20)
    await cluster.until('every input was looked at', () => chains.every(({ chain }) => chain.done))
    for (const [kind, caller] of callers) {
      // Each is welcomed or refused; what comes behind a hello that was welcomed comes in order.
      const [first] = caller.heard
      const isHeard = kind === 'client after hello' ? first === 'welcome' : first !== undefined
      expect([kind, caller.heard, isHeard]).toEqual([kind, caller.heard, true])
      delivered[kind] += 1
      caller.close()
    }
    for (const name of running) expect([name, cluster.machine(name).halted]).toEqual([name, null])
    served += await othersAreServed(world, batches)
    if (batches % 10 === 0) await replicasAreEqual(world)
    batches += 1
  })
  // A failure prints the seed; nothing can be shrunk, since every batch goes on where the one before ended.
  await fc.assert(property, { numRuns: BATCHES, endOnFailure: true })
  await replicasAreEqual(world)
  expect(served).toBeGreaterThan(0.8 * BATCHES)
  for (const [key, value] of world.values) expect(await valueOf(world, key)).toBe(value)
  for (let at = 0; at < 40; at += 1) expect(await valueOf(world, `before ${at}`)).toBe('x'.repeat(at))
  const onLinks = channels.map((channel) =>
    chains.reduce((sum, { chain }) => sum + chain.delivered[channel], 0),
  )
  const all = [...Object.values(delivered), ...onLinks]
  expect(all.reduce((sum, count) => sum + count, 0)).toBeGreaterThanOrEqual(100_000)
  expect(Math.min(...all)).toBeGreaterThan(5_000)
  // The inputs were no harmless ones.
  const events = running.flatMap((name) => cluster.machine(name).events)
  const count = (code: string, reason = ''): number =>
    events.filter((event) => event.code === code && JSON.stringify(event).includes(reason)).length
  expect(count('peer_bad_frame')).toBeGreaterThan(10_000)
  expect(count('peer_fault')).toBeGreaterThan(1_000)
  expect(count('peer_refused_here', 'a frame of type')).toBeGreaterThan(2_000)
  expect(count('peer_refused_here', 'a count of bytes far from')).toBeGreaterThan(500)
  expect(count('replica_condemned')).toBe(0)
})
