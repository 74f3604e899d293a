// Keys that expire in a cluster of real nodes: by the log clock, which no single wall clock moves.
import type { Answer, ClientReply } from '@quorate/protocol'
import type { Removal } from '@quorate/state-machine'
import { describe, expect, it, vi } from 'vitest'
import { TestCluster } from './fixture/cluster.ts'
import { type TestClient, valueIn, written } from './fixture/test-client.ts'

// Virtual time costs real time where many share a machine.
vi.setConfig({ testTimeout: 60_000 })

const HOUR_MS = 3_600_000
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

function answerOf(reply: ClientReply): Extract<Answer, { type: 'applied' }> {
  const [answer] = reply.type === 'answers' ? reply.answers : []
  if (answer?.type !== 'applied') throw new Error(`no answer: ${JSON.stringify(reply)}`)
  return answer
}

/** Resolves with the deadline: log time of the application + ttl. */
async function setFor(cluster: TestCluster, client: TestClient, key: string, ttl: number): Promise<number> {
  const reply = await cluster.wait(client.set(key, 'value', 'always', ttl))
  expect(written(reply)).toBe(true)
  return answerOf(reply).position.t + ttl
}

async function started(): Promise<{ cluster: TestCluster; client: TestClient; removals: Removal[] }> {
  const cluster = new TestCluster()
  const removals: Removal[] = []
  cluster.start({ removed: (_, some) => removals.push(...some) })
  const leader = await cluster.served()
  const client = await cluster.client(leader.name)
  await cluster.wait(client.open())
  return { cluster, client, removals }
}

describe('a key with a time to live', () => {
  it('is there until then, gone from then on for every read, and removed from an idle shard by itself', async () => {
    const { cluster, client, removals } = await started()
    const deadline = await setFor(cluster, client, 'k', 1_000)
    let last = 0
    for (let reads = 0; ; reads += 1) {
      const answer = answerOf(await cluster.wait(client.get('k')))
      const { t } = answer.position
      expect(t).toBeGreaterThanOrEqual(last)
      expect(answer.result.type, `at ${t} of ${deadline}`).toBe(t < deadline ? 'entry' : 'absent')
      last = t
      if (answer.result.type === 'absent') break
      await cluster.run(50)
    }
    await cluster.until('all replicas have removed it', () =>
      cluster.machines.every((machine) => machine.shard(1)?.keys === 0),
    )
    await cluster.converged()
    expect(removals).toHaveLength(3)
    for (const removal of removals)
      expect(removal).toMatchObject({ cause: 'expired', deadline, key: bytes('k'), removedVersion: 2 })
    expect(client.notAnsweredOnce()).toEqual([])
  })

  it('H8: is said to be gone only when the log holds that time: one tick for all reads that wait', async () => {
    const { cluster, client } = await started()
    const deadline = await setFor(cluster, client, 'k', 400)
    await setFor(cluster, client, 'other', 60_000)
    const leader = await cluster.served()
    const before = leader.shard(1)?.lastIndex ?? 0
    await cluster.run(380)
    const replies: Promise<ClientReply>[] = []
    // Now a commit takes its time, and the confirmation of a read does not.
    for (const machine of cluster.followers()) machine.disk.syncLatencyMs = [20, 20]
    const committed: number[] = []
    for (let at = 0; at < 60; at += 1) {
      const reply = client.get('k')
      const absent = (answer: ClientReply): boolean => answerOf(answer).result.type === 'absent'
      void reply.then((answer) => absent(answer) && committed.push(leader.shard(1)?.commitIndex ?? 0))
      replies.push(reply)
      await cluster.run(1)
    }
    const answers = (await cluster.wait(Promise.all(replies))).map(answerOf)
    const gone = answers.filter(({ result }) => result.type === 'absent')
    expect(gone.length).toBeGreaterThan(5)
    expect(Math.min(...committed)).toBeGreaterThan(before)
    for (const { position, result } of answers) expect(result.type === 'absent').toBe(position.t >= deadline)
    // A tick or two, and a sweep.
    expect((leader.shard(1)?.lastIndex ?? 0) - before).toBeLessThanOrEqual(4)
  })

  it('H7: is shown no more from its deadline on, though no entry has told the log that time yet', async () => {
    const { cluster, client } = await started()
    const deadline = await setFor(cluster, client, 'k', 400)
    await cluster.run(300)
    for (const machine of cluster.followers()) machine.disk.syncLatencyMs = [200, 200]
    await cluster.run(150)
    // What removes it is on its way to the disks; a read is confirmed long before.
    const answer = answerOf(await cluster.wait(client.get('k')))
    expect(answer.result.type).toBe('absent')
    expect(answer.position.t).toBeGreaterThanOrEqual(deadline)
  })

  it('sweeps as many as there are, paced, and writes nothing to an idle shard that has none', async () => {
    const { cluster, client, removals } = await started()
    const leader = await cluster.served()
    for (let batch = 0; batch < 6; batch += 1)
      await cluster.wait(
        client.commands((sequence) =>
          Array.from({ length: 100 }, (_, at) => ({
            op: 'set',
            sequence: sequence + at,
            notAfter: Number.MAX_SAFE_INTEGER,
            key: bytes(`k${batch * 100 + at}`),
            value: { type: 'integer', integer: at },
            condition: { type: 'always' },
            ttl: 2_000,
          })),
        ),
      )
    expect(leader.shard(1)?.keys).toBe(600)
    await cluster.run(1_500)
    expect(leader.shard(1)?.keys).toBe(600)
    const before = leader.shard(1)?.lastIndex ?? 0
    await cluster.until('all are gone', () => cluster.machines.every((one) => one.shard(1)?.keys === 0))
    await cluster.run(5_000)
    const entries = (leader.shard(1)?.lastIndex ?? 0) - before
    expect(entries).toBeGreaterThanOrEqual(3)
    expect(entries).toBeLessThanOrEqual(8)
    expect(removals).toHaveLength(1_800)
    await cluster.converged()
  })
})

describe('wall clocks that are wrong', () => {
  it('H6 H7: a leader an hour ahead for a second makes no key of a second live an hour, nor others expire early', async () => {
    const { cluster, client } = await started()
    const leader = await cluster.served()
    await setFor(cluster, client, 'long', 10_000)
    const longSince = cluster.time.nowMs
    leader.process.wallOffsetMs += HOUR_MS
    await setFor(cluster, client, 'short', 1_000)
    const shortSince = cluster.time.nowMs
    await cluster.run(1_000)
    leader.process.wallOffsetMs -= HOUR_MS
    expect(valueIn(await cluster.wait(client.get('long')))).toBe('value')
    await cluster.until('the short one is gone', () => leader.shard(1)?.keys === 1)
    // Swept, so expired: never before its second less the tolerated skew, and soon after.
    expect(cluster.time.nowMs - shortSince).toBeGreaterThanOrEqual(500)
    expect(cluster.time.nowMs - shortSince).toBeLessThan(2_500)
    await cluster.until('the long one is gone', () => leader.shard(1)?.keys === 0)
    expect(cluster.time.nowMs - longSince).toBeGreaterThanOrEqual(9_500)
    expect(cluster.time.nowMs - longSince).toBeLessThan(12_000)
  })

  it('H8: what has expired stays gone under the next leader, whose clock is an hour behind', async () => {
    const { cluster, client } = await started()
    const first = await cluster.served()
    for (const machine of cluster.followers()) machine.process.wallOffsetMs -= HOUR_MS
    await setFor(cluster, client, 'k', 300)
    let position = answerOf(await cluster.wait(client.get('k'))).position
    await cluster.until('it is gone', () => first.shard(1)?.keys === 0)
    position = answerOf(await cluster.wait(client.get('k'))).position
    first.crash({ powerLoss: true })
    const next = await cluster.served()
    expect(next).not.toBe(first)
    const reader = await cluster.client(next.name)
    const answer = answerOf(await cluster.wait(reader.get('k')))
    expect(answer.result.type).toBe('absent')
    expect(answer.position.version).toBeGreaterThanOrEqual(position.version)
    // Its time goes on from what the log had reached: what is set now does not live an hour longer either.
    await cluster.wait(reader.open())
    await setFor(cluster, reader, 'later', 300)
    await cluster.run(1_000)
    expect(answerOf(await cluster.wait(reader.get('later'))).result.type).toBe('absent')
  })
})

describe('deadlines of a shard', () => {
  it('C12: survive crashes of all nodes and arrive with a snapshot, in the order in which they expire', async () => {
    const cluster = new TestCluster({ settings: { snapshotChunkBytes: 32_768 } })
    const leader = await cluster.formed()
    const [away] = cluster.followers()
    if (away === undefined) throw new Error('a follower')
    const client = await cluster.client(leader.name)
    await cluster.wait(client.open())
    away.crash({ powerLoss: false })
    for (let at = 0; at < 12; at += 1) await setFor(cluster, client, `k${at}`, 30_000 + 500 * at)
    await setFor(cluster, client, 'kept', 300_000)
    for (let at = 0; at < 20; at += 1)
      expect(written(await cluster.wait(client.set('fill', `${at} `.padEnd(12_000, '.'))))).toBe(true)
    await cluster.until('the log was compacted', () => (leader.shard(1)?.firstIndex ?? 0) > 20)
    away.start()
    await cluster.converged()
    expect(away.shard(1)?.snapshotsInstalled).toBe(1)
    // It leads with what it was given: the other two come back one after the other, without their memory.
    for (const machine of cluster.machines) if (machine !== away) machine.crash({ powerLoss: true })
    cluster.machines.find((machine) => machine !== away)?.start()
    const next = await cluster.served()
    await cluster.until('all but two are gone', () => next.shard(1)?.keys === 2, 60_000)
    await cluster.until('the others follow', () => away.shard(1)?.keys === 2)
    const reader = await cluster.client(next.name)
    expect(valueIn(await cluster.wait(reader.get('kept')))).toBe('value')
    for (const machine of cluster.machines) if (!machine.process.alive) machine.start()
    await cluster.converged()
  })
})
