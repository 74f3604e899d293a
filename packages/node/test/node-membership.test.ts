// Members of shards and of the cluster change under load: nothing is lost, whoever crashes, and who is out stays out.
import { describe, expect, it, vi } from 'vitest'
import { TestCluster } from './fixture/cluster.ts'
import type { Machine } from './fixture/machine.ts'
import { ask, assign, equal, hosts, isOpen, refusal, rowsOf, settled } from './fixture/members.ts'
import { Writer } from './fixture/writer.ts'

// Virtual time costs real time where many share a machine.
vi.setConfig({ testTimeout: 240_000 })

describe('a cluster of three', () => {
  it('grows to five and shrinks to three by changes of single shards under load, and nothing is lost', async () => {
    const cluster = new TestCluster({ shards: 2 })
    await cluster.formed()
    const writers = [new Writer(cluster, 1), new Writer(cluster, 2)]
    for (const writer of writers) writer.start()
    for (const writer of writers) await writer.more(20)
    const joined = [cluster.join('n4'), cluster.join('n5')]
    await cluster.until(
      'all five are in the meta group',
      () => cluster.leader(0)?.shard(0)?.voters.length === 5,
    )
    // A new node hosts no shard until a change gives it one.
    for (const machine of joined) expect(machine.status()?.shards.map((one) => one.group)).toEqual([0])
    for (const writer of writers) {
      await assign(cluster, writer.group, ['n3', 'n4', 'n5'])
      await writer.more(20)
      await settled(cluster, writer.group, ['n3', 'n4', 'n5'])
    }
    for (const name of ['n1', 'n2']) {
      await ask(cluster, (leader) => leader.node?.removeNode(name))
      await cluster.until(`${name} is removed`, () => cluster.machine(name).halted !== null, 60_000)
      expect(cluster.machine(name).halted?.message).toContain('removed')
      // Its rows are deleted, and so is its part of the log.
      for (const group of [1, 2]) expect(rowsOf(cluster.machine(name), group)).toBe(0)
      cluster.machine(name).crash({ powerLoss: true })
    }
    await settled(cluster, 0, ['n3', 'n4', 'n5'])
    for (const writer of writers) {
      await writer.more(20)
      await writer.stop()
      expect(await writer.lost()).toEqual([])
      await equal(cluster, writer.group)
    }
    // Nobody dials them any more, and they are not let in again.
    cluster.machine('n1').start()
    await cluster.until('it is sent away', () => cluster.machine('n1').halted !== null)
  })
})

/** A cluster of three with one shard and a load on it, and a fourth node that is in. */
async function loaded(
  names = ['n1', 'n2', 'n3'],
): Promise<{ cluster: TestCluster; writer: Writer; fourth: Machine }> {
  const cluster = new TestCluster({ names })
  await cluster.formed()
  const fourth = cluster.join('n4')
  await cluster.until(
    'the fourth is a member of the meta group',
    () => cluster.leader(0)?.shard(0)?.voters.includes('n4') === true && !isOpen(cluster, 0),
  )
  const writer = new Writer(cluster, 1)
  writer.start()
  await writer.more(10)
  return { cluster, writer, fourth }
}

describe('a change of members', () => {
  it('is refused where it is not safe or not possible, and only the leader of the meta group takes it', async () => {
    const { cluster } = await loaded()
    const leader = cluster.leader(0)
    const other = cluster.machines.find((machine) => machine !== leader)
    const asked = async (machine: Machine | null | undefined, nodes: string[]): Promise<string> =>
      cluster.wait(refusal(machine?.node?.changeMembership(1, nodes)))
    expect(await asked(other, ['n1', 'n2', 'n4'])).toBe('NOT_LEADER')
    expect(await asked(leader, ['n1', 'n9'])).toBe('UNKNOWN_NODE')
    expect(await asked(leader, ['n1', 'n1'])).toBe('DUPLICATE_NODE')
    expect(await asked(leader, [])).toBe('NO_NODES')
    expect(await asked(leader, ['n3', 'n2', 'n1'])).toBe('NOTHING_TO_DO')
    expect(await cluster.wait(refusal(leader?.node?.removeNode(leader.name)))).toBe('HOSTS_SHARDS')
    const away = cluster.machines.filter((machine) => machine !== leader).slice(0, 1)
    for (const machine of away) machine.crash({ powerLoss: false })
    await cluster.run(1_000)
    // A group of this one and a dead one could do nothing.
    expect(await asked(leader, [leader?.name ?? '', ...away.map((machine) => machine.name)])).toBe(
      'NO_LIVE_QUORUM',
    )
    for (const machine of away) machine.start()
    expect(await asked(leader, ['n1', 'n2', 'n4'])).toBe('accepted')
    expect(await asked(leader, ['n2', 'n3', 'n4'])).toBe('CHANGE_OPEN')
    await settled(cluster, 1, ['n1', 'n2', 'n4'])
  })

  it('goes on to its end when the leader, the meta leader, the one that comes or the one that goes crashes at any step', async () => {
    const { cluster, writer } = await loaded()
    const roles: ((cluster: TestCluster) => Machine | null)[] = [
      () => cluster.leader(1),
      () => cluster.leader(0),
      () => cluster.machine('n4'),
      () => cluster.machine('n3'),
    ]
    let nodes = ['n1', 'n2', 'n3']
    // From the acceptance to the settled map it takes about 300 ms.
    for (const [at, delayMs] of [0, 40, 80, 120, 160, 200, 240, 300].entries()) {
      nodes = nodes.includes('n3') ? ['n1', 'n2', 'n4'] : ['n1', 'n2', 'n3']
      await assign(cluster, 1, nodes)
      await cluster.run(delayMs)
      const victim = roles[at % roles.length]?.(cluster) ?? null
      victim?.crash({ powerLoss: at % 2 === 0 })
      await cluster.run(700)
      victim?.start()
      await settled(cluster, 1, nodes)
      await writer.more(5)
    }
    await writer.stop()
    expect(await writer.lost()).toEqual([])
    await equal(cluster, 1)
    for (const machine of cluster.machines) expect(machine.halted).toBe(null)
  })

  it('to a node that never comes up can be cancelled, and what was minted for it is used by nobody', async () => {
    const { cluster, writer, fourth } = await loaded()
    const change = await assign(cluster, 1, ['n2', 'n3', 'n4'])
    fourth.crash({ powerLoss: false })
    await cluster.run(3_000)
    expect(isOpen(cluster, 1)).toBe(true)
    expect(cluster.leader(1)?.status()?.changes).toMatchObject([
      { group: 1, id: change, cancelled: false, step: 'catching up' },
    ])
    const used = cluster.machines.flatMap((machine) => machine.shard(1)?.incarnation ?? [])
    await ask(cluster, (leader) => leader.node?.cancelMembershipChange(1, change))
    await settled(cluster, 1, ['n1', 'n2', 'n3'])
    await writer.more(10)
    fourth.start()
    await cluster.run(2_000)
    expect(fourth.shard(1)).toBe(null)
    await assign(cluster, 1, ['n2', 'n3', 'n4'])
    await settled(cluster, 1, ['n2', 'n3', 'n4'])
    const minted = fourth.shard(1)?.incarnation ?? 0
    // One was minted for the cancelled change, and lies in between.
    expect(minted).toBeGreaterThan(Math.max(...used) + 1)
    await writer.stop()
    expect(await writer.lost()).toEqual([])
  })

  it('B16: outlives the loss of power of everybody as soon as it is settled', async () => {
    const { cluster, writer } = await loaded()
    await assign(cluster, 1, ['n2', 'n3', 'n4'])
    await settled(cluster, 1, ['n2', 'n3', 'n4'])
    for (const machine of cluster.machines) machine.crash({ powerLoss: true })
    await cluster.run(100)
    for (const machine of cluster.machines) machine.start()
    await settled(cluster, 1, ['n2', 'n3', 'n4'])
    await writer.more(5)
    await writer.stop()
    expect(await writer.lost()).toEqual([])
  })

  it('F8: that removes the only voter is committed by it; then it steps down and serves nothing, and the new one takes over', async () => {
    const cluster = new TestCluster({ names: ['n1'] })
    const first = await cluster.formed()
    const writer = new Writer(cluster, 1)
    writer.start()
    cluster.join('n2')
    await cluster.until('both are in the meta group', () => cluster.leader(0)?.shard(0)?.voters.length === 2)
    await assign(cluster, 1, ['n2'])
    await settled(cluster, 1, ['n2'])
    expect(cluster.leader(1)?.name).toBe('n2')
    await cluster.until('the old replica is gone', () => first.saw('replica_removed').length === 1)
    const asking = await cluster.client('n1')
    expect(await cluster.wait(asking.get('k0'))).toMatchObject({ type: 'refused', code: 'WRONG_SHARD' })
    await writer.more(10)
    await writer.stop()
    expect(await writer.lost()).toEqual([])
  })

  it('F3: that an isolated leader is asked for, to be alone in its group, never comes to pass', async () => {
    const { cluster, writer } = await loaded()
    const leader = cluster.leader(0)
    cluster.isolate(leader?.name ?? '')
    const asked = refusal(leader?.node?.changeMembership(1, [leader.name]))
    expect(await cluster.wait(asked, 60_000)).toMatch(/^(UNKNOWN|NO_LIVE_QUORUM|NOT_LEADER)$/)
    await cluster.until(
      'the others have a leader of their own',
      () => cluster.leader(0) !== leader && cluster.leader(0) !== null,
    )
    await writer.more(10)
    cluster.heal()
    await cluster.run(2_000)
    expect(isOpen(cluster, 1)).toBe(false)
    expect(hosts(cluster, 1).map((machine) => machine.name)).toEqual(['n1', 'n2', 'n3'])
    await writer.stop()
    expect(await writer.lost()).toEqual([])
  })
})
