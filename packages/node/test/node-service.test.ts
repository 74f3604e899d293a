// What clients of whole nodes may rely on: one reply each, honest outcomes, reads that never look back.
import { decodePeerFrame, type ClientReply } from '@quorate/protocol'
import { createSeededRandom } from '@quorate/runtime'
import { describe, expect, it, vi } from 'vitest'
import { TestCluster } from './fixture/cluster.ts'
import { peerAddress } from './fixture/machine.ts'
import { codeOf, type TestClient, valueIn, written } from './fixture/test-client.ts'

// Virtual time costs real time where many share a machine.
vi.setConfig({ testTimeout: 60_000 })

async function leaderWithClient(cluster: TestCluster): Promise<TestClient> {
  const leader = await cluster.formed()
  const client = await cluster.client(leader.name)
  await cluster.wait(client.open())
  return client
}

describe('requests', () => {
  it('on a follower are refused NOT_LEADER, once, with the leader as a hint', async () => {
    const cluster = new TestCluster()
    const leader = await cluster.formed()
    const [follower] = cluster.followers()
    const client = await cluster.client(follower?.name ?? '')
    const replies = await cluster.wait(Promise.all([client.open(), client.get('a')]))
    for (const reply of replies)
      expect(reply).toMatchObject({ type: 'refused', code: 'NOT_LEADER', leader: `${leader.name}:7400` })
    await cluster.run(500)
    expect(client.notAnsweredOnce()).toEqual([])
  })

  it('E9: all end with exactly one reply when their leader steps down, and refused ones have no effect', async () => {
    const cluster = new TestCluster()
    const client = await leaderWithClient(cluster)
    const old = cluster.leader()
    cluster.isolate(old?.name ?? '')
    const replies = new Map<string, ClientReply>()
    for (let at = 0; at < 20; at += 1) {
      void client.set(`k${at}`, `v${at}`).then((reply) => replies.set(`k${at}`, reply))
      void client.get(`k${at}`).then((reply) => replies.set(`read ${at}`, reply))
      await cluster.run(50)
    }
    await cluster.until('every request has ended', () => replies.size === 40)
    cluster.heal()
    await cluster.converged()
    const leader = await cluster.served()
    const reader = await cluster.client(leader.name)
    expect(client.notAnsweredOnce()).toEqual([])
    const codes = new Set([...replies.values()].map(codeOf))
    expect([...codes].toSorted()).toEqual(['open LEADERSHIP_LOST', 'refused NOT_LEADER'])
    const refused = [...replies].filter(([key, reply]) => key.startsWith('k') && reply.type === 'refused')
    for (const [key] of refused)
      expect([key, valueIn(await cluster.wait(reader.get(key)))]).toEqual([key, null])
  })

  it('E5: of many connections and turns get the replies that are theirs', async () => {
    const cluster = new TestCluster()
    const first = await leaderWithClient(cluster)
    const { name } = await cluster.served()
    const second = await cluster.client(name)
    await cluster.wait(second.open())
    const random = createSeededRandom(5)
    const asked: Promise<string | null>[] = []
    for (let at = 0; at < 150; at += 1) {
      const client = random.next() < 0.5 ? first : second
      const key = `k${Math.floor(random.next() * 20)}`
      // What was read or written says whose it is.
      if (random.next() < 0.4)
        asked.push(client.set(key, `${key} ${at}`).then((reply) => (written(reply) ? null : codeOf(reply))))
      else
        asked.push(
          client.get(key).then((reply) => {
            const value = valueIn(reply)
            return value === null || value.startsWith(`${key} `) ? null : `${value} for ${key}`
          }),
        )
      if (random.next() < 0.3) await cluster.run(1)
    }
    expect((await cluster.wait(Promise.all(asked))).filter((wrong) => wrong !== null)).toEqual([])
    expect([...first.notAnsweredOnce(), ...second.notAnsweredOnce()]).toEqual([])
  })

  it('that are no frames end their own connection as BAD_FRAME, others go on', async () => {
    const cluster = new TestCluster({ names: ['n1'] })
    const good = await leaderWithClient(cluster)
    const random = createSeededRandom(7)
    for (let at = 0; at < 20; at += 1) {
      const bad = await cluster.client('n1')
      const length = 1 + Math.floor(random.next() * 40)
      const frame = random.bytes(length)
      // 2 is a frame of requests: what it holds is random.
      frame[0] = at % 2 === 0 ? 2 : 0x7f
      bad.raw(frame)
      await cluster.until('it is sent away', () => bad.closed !== null)
      expect(bad.unwelcome).toBe('BAD_FRAME')
      const peer: string[] = []
      const link = cluster.hub.networkFor('garbage').dial(peerAddress('n1'), {
        opened: () => link.send(random.bytes(length)),
        frame: (bytes) => {
          const answer = decodePeerFrame(bytes)
          peer.push(answer.type === 'unwelcome' ? answer.code : answer.type)
        },
        closed: () => peer.push('closed'),
      })
      await cluster.until('so is a peer', () => peer.includes('closed'))
      expect(peer).toEqual(['BAD_FRAME', 'closed'])
    }
    expect(written(await cluster.wait(good.set('a', '1')))).toBe(true)
    expect(cluster.machine('n1').halted).toBe(null)
  })

  it('whose answers would not fit a frame are refused (reads) or lose seen values (writes)', async () => {
    const cluster = new TestCluster({
      names: ['n1'],
      settings: { segmentBytes: 4_194_304, retainBytes: 33_554_432 },
    })
    const client = await leaderWithClient(cluster)
    const keys = ['a', 'b', 'c', 'd', 'e']
    const large = new Uint8Array(1_000_000).fill(65)
    for (const key of keys) expect(written(await cluster.wait(client.set(key, large)))).toBe(true)
    expect(codeOf(await cluster.wait(client.get(...keys)))).toBe('refused OVERLOADED')
    expect(codeOf(await cluster.wait(client.get('a', 'b')))).toBe('answers')
    const lost = await cluster.wait(
      client.commands((sequence) =>
        keys.map((key, at) => ({
          op: 'set',
          sequence: sequence + at,
          notAfter: Number.MAX_SAFE_INTEGER,
          key: new Uint8Array(Buffer.from(key)),
          value: { type: 'integer', integer: 1 },
          condition: { type: 'ifAbsent' },
          ttl: 0,
        })),
      ),
    )
    if (lost.type !== 'answers') throw new Error(codeOf(lost))
    const omitted = lost.answers.map(
      (answer) => answer.type === 'applied' && answer.result.type === 'lost' && answer.result.valueOmitted,
    )
    expect(omitted).toEqual([false, false, false, false, true])
  })
})

describe('linearizable reads', () => {
  it('D1: right after an election wait until an entry of the new term is committed', async () => {
    const cluster = new TestCluster()
    const client = await leaderWithClient(cluster)
    expect(written(await cluster.wait(client.set('a', '1')))).toBe(true)
    const old = await cluster.served()
    const rest = cluster.followers()
    const readers = await Promise.all(rest.map((machine) => cluster.client(machine.name)))
    for (const machine of rest) machine.disk.syncLatencyMs = [120, 120]
    old.crash({ powerLoss: false })
    const elected = (): number => rest.findIndex((machine) => machine.shard(1)?.role === 'leader')
    await cluster.until('one is elected', () => elected() >= 0)
    const leader = rest[elected()]
    expect(leader?.shard(1)?.servesReads).toBe(false)
    const reader = readers[elected()]
    if (reader === undefined) throw new Error('nobody was elected')
    const seen = reader.get('a').then((reply) => [valueIn(reply), leader?.shard(1)?.servesReads])
    expect(await cluster.wait(seen)).toEqual(['1', true])
  })

  it('D4: are never answered by a leader that is cut off from its peers', async () => {
    const cluster = new TestCluster()
    const client = await leaderWithClient(cluster)
    expect(written(await cluster.wait(client.set('a', 'old')))).toBe(true)
    const old = await cluster.served()
    cluster.isolate(old.name)
    const replies: ClientReply[] = []
    const ask = (): void => void client.get('a').then((reply) => replies.push(reply))
    ask()
    await cluster.until('another leads', () => cluster.leader() !== null && cluster.leader() !== old)
    ask()
    const now = await cluster.client(cluster.leader()?.name ?? '')
    await cluster.wait(now.open())
    expect(written(await cluster.wait(now.set('a', 'new')))).toBe(true)
    ask()
    await cluster.until('the old leader has answered', () => replies.length === 3)
    cluster.heal()
    await cluster.run(2_000)
    expect(replies.map(codeOf)).toEqual(['refused NOT_LEADER', 'refused NOT_LEADER', 'refused NOT_LEADER'])
    expect(client.notAnsweredOnce()).toEqual([])
  })
})

describe('an orderly stop', () => {
  it('hands leadership over before an election timeout has passed', async () => {
    const cluster = new TestCluster()
    const old = await cluster.formed()
    const before = cluster.time.nowMs
    const stopped = old.stop()
    await cluster.until('another leads', () => cluster.followers().includes(cluster.leader() ?? old))
    expect(cluster.time.nowMs - before).toBeLessThan(300)
    await cluster.wait(stopped)
    expect(old.halted).toBe(null)
  })

  it('is not needed: a leader that is asked hands one group over and goes on, a follower refuses', async () => {
    const cluster = new TestCluster()
    const old = await cluster.formed()
    for (const follower of cluster.followers()) expect(follower.node?.transferLeadership(1)).toBe(false)
    expect(old.node?.transferLeadership(99)).toBe(false)
    expect(old.node?.transferLeadership(1)).toBe(true)
    await cluster.until('another leads', () => cluster.followers().includes(cluster.leader() ?? old))
    await cluster.converged()
    expect(old.halted).toBe(null)
  })

  it('during the start waits for it and leaves a directory that starts again', async () => {
    for (let seed = 1; seed <= 10; seed += 1) {
      const cluster = new TestCluster({ names: ['n1'], seed })
      const machine = cluster.machine('n1')
      for (let ms = 0; ms < 40; ms += 4) {
        machine.start()
        await cluster.run(ms)
        await cluster.wait(machine.stop())
        machine.process.alive = false
      }
      await cluster.formed()
      expect(machine.saw('replica_condemned')).toEqual([])
    }
  })
})
