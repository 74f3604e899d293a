// A bounded cluster of real nodes: what is evicted, what is refused, and that nothing is lost without a report.
import { type ClientReply, type Command, encodeSection } from '@quorate/protocol'
import type { Removal } from '@quorate/state-machine'
import { describe, expect, it, vi } from 'vitest'
import { TestCluster } from './fixture/cluster.ts'
import { codeOf, type TestClient, valueIn, written } from './fixture/test-client.ts'

// Virtual time costs real time where many share a machine.
vi.setConfig({ testTimeout: 60_000 })

const LIMIT = 20_000
const CEILING = LIMIT * 1.25
const VALUE_BYTES = 100
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const textOf = (key: Uint8Array): string => new TextDecoder().decode(key)

interface World {
  readonly cluster: TestCluster
  /** By key and version that went, of any replica. */
  readonly evicted: Set<string>
  readonly removals: Removal[]
  /** The newest acknowledged version, by key. */
  readonly acknowledged: Map<string, number>
  /** Looks at every replica: none is ever above the ceiling. */
  readonly watch: () => void
}

async function started(maxBytes = LIMIT): Promise<World & { readonly client: TestClient }> {
  const cluster = new TestCluster()
  const removals: Removal[] = []
  const evicted = new Set<string>()
  cluster.start({
    maxBytes,
    removed: (_, some) => {
      removals.push(...some)
      for (const { cause, key, removedVersion } of some)
        if (cause === 'evicted') evicted.add(`${textOf(key)}#${removedVersion}`)
    },
  })
  const watch = (): void => {
    for (const machine of cluster.machines)
      expect(machine.shard(1)?.bytes ?? 0).toBeLessThanOrEqual(maxBytes * 1.25)
  }
  const leader = await cluster.served()
  const client = await cluster.client(leader.name)
  await cluster.wait(client.open())
  return { cluster, removals, evicted, acknowledged: new Map(), watch, client }
}

/** Writes keys, many at once; notes what was acknowledged. Refused ones are tried again until the budget is used up. */
async function flood(
  { cluster, acknowledged, watch }: World,
  client: TestClient,
  names: readonly string[],
): Promise<number> {
  let refusals = 0
  const open = new Set<Promise<void>>()
  const send = async (batch: readonly string[]): Promise<void> => {
    for (let attempt = 0; attempt < 200; attempt += 1) {
      const reply = await client.commands((sequence) => batch.map((name, at) => set(name, sequence + at)))
      if (reply.type === 'answers') return note(reply, batch, acknowledged)
      if (reply.type === 'open') return
      refusals += 1
      await cluster.sleep(2)
    }
  }
  for (let at = 0; at < names.length; at += 5) {
    const sent: Promise<void> = send(names.slice(at, at + 5)).finally(() => open.delete(sent))
    open.add(sent)
    if (open.size < 16) continue
    await cluster.until('one of the batches ends', () => open.size < 16)
    watch()
  }
  for (let left = 0; left < 4_000 && open.size > 0; left += 1) {
    await cluster.run(5)
    watch()
  }
  return refusals
}

function set(name: string, sequence: number, options: { readonly evict?: false } = {}): Command {
  return {
    op: 'set',
    sequence,
    notAfter: Number.MAX_SAFE_INTEGER,
    key: bytes(name),
    value: { type: 'bytes', bytes: new Uint8Array(VALUE_BYTES).fill(97) },
    condition: { type: 'always' },
    ttl: 0,
    ...options,
  }
}

function note(
  reply: Extract<ClientReply, { type: 'answers' }>,
  batch: readonly string[],
  acknowledged: Map<string, number>,
): void {
  for (const [at, name] of batch.entries()) {
    const answer = reply.answers[at]
    if (answer?.type !== 'applied' || answer.result.type !== 'written')
      throw new Error(JSON.stringify(answer))
    acknowledged.set(name, Math.max(acknowledged.get(name) ?? 0, answer.result.version))
  }
}

/** Rule 23: an acknowledged value is there, or its eviction was reported. Returns how many are there. */
async function nothingIsLost({ cluster, acknowledged, evicted }: World): Promise<number> {
  const reader = await cluster.client((await cluster.served()).name)
  const lost: string[] = []
  let found = 0
  for (const [name, version] of acknowledged) {
    const there = valueIn(await cluster.wait(reader.get(name))) !== null
    if (there) found += 1
    else if (!evicted.has(`${name}#${version}`)) lost.push(`${name}#${version}`)
  }
  expect(lost).toEqual([])
  return found
}

const named = (count: number, from = 0): string[] =>
  Array.from({ length: count }, (_, at) => `key-${String(from + at).padStart(6, '0')}`)

describe('a bounded shard', () => {
  it('rule 23: takes writes for ever within 1.25 of its bytes, evicts the rest and reports each on every replica', async () => {
    const world = await started()
    const { cluster, client, removals, evicted } = world
    await flood(world, client, named(1_000))
    await cluster.converged()
    const status = cluster.machines.map((machine) => machine.shard(1))
    for (const shard of status) {
      expect(shard?.bytesMax).toBe(LIMIT)
      expect(shard?.bytes).toBeLessThanOrEqual(LIMIT)
      expect(shard?.bytes).toBeGreaterThan(LIMIT / 2)
      expect(shard?.evictions).toBe(evicted.size)
      expect(shard?.keys).toBe(1_000 - evicted.size)
    }
    expect(world.acknowledged.size).toBe(1_000)
    expect(removals).toHaveLength(3 * evicted.size)
    expect(await nothingIsLost(world)).toBe(1_000 - evicted.size)
    const leader = await cluster.served()
    expect(leader.shard(1)).toMatchObject({ hits: 1_000 - evicted.size, misses: evicted.size })
  })

  it('keeps what is read again and again while others come and go', async () => {
    const world = await started()
    const { cluster, client } = world
    await flood(world, client, ['wanted'])
    for (let round = 0; round < 40; round += 1) {
      expect(valueIn(await cluster.wait(client.get('wanted')))).not.toBeNull()
      await flood(world, client, named(25, round * 25))
    }
    expect(world.evicted.size).toBeGreaterThan(800)
  })

  it('never evicts what was written with evict: false, and refuses more of it than a tenth', async () => {
    const world = await started()
    const { cluster, client } = world
    const pin = (name: string): Promise<ClientReply> =>
      cluster.wait(client.commands((sequence) => [set(name, sequence, { evict: false })]))
    let pinned = 0
    while (pinned < 100 && written(await pin(`lock-${pinned}`))) pinned += 1
    expect(pinned).toBeGreaterThan(5)
    expect(codeOf(await pin('one-more'))).toBe('refused OVERLOADED')
    const leader = await cluster.served()
    expect(leader.shard(1)?.pinnedBytes).toBeLessThanOrEqual(LIMIT / 10)
    await flood(world, client, named(500))
    for (let at = 0; at < pinned; at += 1)
      expect(valueIn(await cluster.wait(client.get(`lock-${at}`)))).not.toBeNull()
    // What frees some is always admitted, and then there is room again.
    expect(written(await cluster.wait(client.del('lock-0')))).toBe(true)
    expect(written(await pin('one-more'))).toBe(true)
  })

  it('makes room for a write that is larger than what is free, and refuses for ever only what could never fit', async () => {
    const world = await started()
    const { cluster, client } = world
    await flood(world, client, named(200))
    const large = (size: number): Promise<ClientReply> =>
      cluster.wait(client.set('large', new Uint8Array(size)))
    let reply = await large(15_000)
    for (let attempt = 0; attempt < 50 && codeOf(reply) === 'refused OVERLOADED'; attempt += 1) {
      await cluster.run(20)
      reply = await large(15_000)
    }
    expect(written(reply)).toBe(true)
    world.watch()
    expect(codeOf(await large(CEILING))).toBe('refused OVERLOADED')
    await cluster.run(500)
    expect((await cluster.served()).shard(1)?.keys).toBeGreaterThan(10)
  })
})

describe('the limit', () => {
  it('holds over changes of leader in the middle of a flood, and no acknowledged write is lost', async () => {
    const world = await started()
    const { cluster } = world
    let { client } = world
    for (let round = 0; round < 4; round += 1) {
      const leader = await cluster.served()
      client = await cluster.client(leader.name)
      await cluster.wait(client.open())
      const writing = flood(world, client, named(300, round * 300))
      await cluster.run(40)
      leader.crash({ powerLoss: round % 2 === 0 })
      await cluster.run(1_500)
      leader.start({
        removed: (_, some) => {
          for (const { key, removedVersion } of some) world.evicted.add(`${textOf(key)}#${removedVersion}`)
        },
      })
      void writing.catch(() => {})
      await cluster.served()
      world.watch()
    }
    const last = await cluster.served()
    client = await cluster.client(last.name)
    await cluster.wait(client.open())
    await flood(world, client, named(300, 5_000))
    await cluster.converged()
    world.watch()
    expect(await nothingIsLost(world)).toBeGreaterThan(20)
    expect(last.shard(1)?.evictions).toBeGreaterThan(100)
  })

  it('is kept by nodes that all started anew, whose victims come from the store', async () => {
    const world = await started()
    const { cluster, client } = world
    await flood(world, client, named(150))
    await cluster.until('a checkpoint has it all', () =>
      cluster.machines.every((machine) => {
        const shard = machine.shard(1)
        return shard !== null && shard.checkpointIndex === shard.appliedIndex
      }),
    )
    for (const machine of cluster.machines) machine.crash({ powerLoss: true })
    for (const machine of cluster.machines)
      machine.start({
        removed: (_, some) => {
          for (const { key, removedVersion } of some) world.evicted.add(`${textOf(key)}#${removedVersion}`)
        },
      })
    const leader = await cluster.served()
    expect(leader.shard(1)?.bytesMax).toBe(LIMIT)
    const before = leader.shard(1)?.evictions ?? 0
    const next = await cluster.client(leader.name)
    await cluster.wait(next.open())
    await flood(world, next, named(60, 1_000))
    expect(leader.shard(1)?.evictions).toBeGreaterThan(before)
    // The new ones are in memory; nobody has used the old ones since.
    for (const name of named(60, 1_000)) expect(valueIn(await cluster.wait(next.get(name)))).not.toBeNull()
    await nothingIsLost(world)
  })
})

describe('a client', () => {
  it('may not evict: such a section is refused', async () => {
    const { cluster, client, acknowledged, ...world } = await started()
    await flood({ cluster, acknowledged, ...world }, client, ['k'])
    const victims = [{ key: bytes('k'), version: acknowledged.get('k') ?? 0 }]
    const reply = await cluster.wait(client.write(encodeSection({ kind: 'evict', group: 1, victims })))
    expect(codeOf(reply)).toBe('refused BAD_FRAME')
    expect(valueIn(await cluster.wait(client.get('k')))).not.toBeNull()
  })
})
