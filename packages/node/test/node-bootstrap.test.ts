// How a cluster comes to be, whatever crashes, and who is never let back in.
import {
  decodePeerFrame,
  encodePeerFrame,
  type PeerHello,
  PROTOCOL_VERSION_MAX,
  PROTOCOL_VERSION_MIN,
} from '@quorate/protocol'
import { describe, expect, it, vi } from 'vitest'
import { TestCluster } from './fixture/cluster.ts'
import { type Machine, peerAddress } from './fixture/machine.ts'
import { valueIn, written } from './fixture/test-client.ts'

// Virtual time costs real time where many share a machine.
vi.setConfig({ testTimeout: 60_000 })

/** Enough for the note, the first replica, the identity, the map and the first entries of the meta group. */
const STEPS = 30

const clusterIds = (cluster: TestCluster): Set<string | null | undefined> =>
  new Set(cluster.machines.map((machine) => machine.status()?.clusterId))

/** Kills the founder at its nth disk operation counted from the note of what it founds; false if that came to nothing. */
function crashAtFounding(founder: Machine, nth: number, powerLoss: boolean): { count: number } {
  const seen = { count: 0 }
  founder.disk.onBoundary = (_, file) => {
    if (seen.count === 0 && !file.includes('founding')) return
    seen.count += 1
    if (seen.count === nth) founder.crash({ powerLoss })
  }
  return seen
}

async function foundedWithCrash(nth: number, powerLoss: boolean): Promise<boolean> {
  const cluster = new TestCluster({ seed: nth })
  const founder = cluster.machine('n1')
  crashAtFounding(founder, nth, powerLoss)
  cluster.start()
  await cluster.until('the founder crashed or the cluster serves', () => {
    return !founder.process.alive || (cluster.leader()?.shard(1)?.slots ?? 0) > 0
  })
  if (founder.process.alive) return false
  founder.disk.onBoundary = null
  await cluster.run(nth % 3 === 0 ? 0 : 500)
  founder.start()
  const leader = await cluster.served()
  await cluster.until('all are in', () => cluster.machines.every((machine) => machine.shard(1) !== null))
  expect(clusterIds(cluster).size).toBe(1)
  for (const machine of cluster.machines) expect([machine.halted, machine.refused]).toEqual([null, null])
  const client = await cluster.client(leader.name)
  await cluster.wait(client.open())
  expect(written(await cluster.wait(client.set('a', '1')))).toBe(true)
  return true
}

describe('bootstrap', () => {
  it('whose founder crashes at any step ends in one cluster that serves', async () => {
    let nth = 1
    while (nth <= STEPS && (await foundedWithCrash(nth, nth % 2 === 0))) nth += 1
    expect(nth).toBeGreaterThan(15)
  })

  it('A11: a wiped node restarted with its old flags joins as a new node and never votes as its former self', async () => {
    const cluster = new TestCluster()
    const leader = await cluster.formed()
    const client = await cluster.client(leader.name)
    await cluster.wait(client.open())
    const clusterId = leader.status()?.clusterId
    // The first one named is the one that would form a cluster.
    const wiped = cluster.machine('n1')
    const former = wiped.status()
    const incarnations = former?.shards.map((one) => one.incarnation) ?? []
    const [victim] = cluster.machines.filter((machine) => machine !== wiped)
    wiped.crash({ powerLoss: true })
    wiped.wipe()
    wiped.start()
    await cluster.until('it is a member again', () => wiped.status()?.clusterId != null)
    expect(wiped.status()?.clusterId).toBe(clusterId)
    expect(wiped.status()?.dirId).not.toBe(former?.dirId)
    // Before it can have become a voter of the meta group in its own right.
    victim?.crash({ powerLoss: false })
    await cluster.run(5_000)
    // One of three and a stranger: nobody may lead.
    expect(cluster.leader()).toBe(null)
    expect(cluster.leader(0)).toBe(null)
    expect(incarnations.length).toBe(2)
    // A change of the meta group may have begun with it: a new replica, which is in no configuration yet and asks for nothing.
    for (const shard of wiped.status()?.shards ?? []) {
      expect(incarnations).not.toContain(shard.incarnation)
      expect(shard).toMatchObject({ group: 0, role: 'follower', voters: [], lastIndex: 0 })
    }
  })

  it('A11: a wiped first node does not form a second cluster while nobody else can be reached', async () => {
    const cluster = new TestCluster()
    await cluster.formed()
    const clusterId = cluster.machine('n2').status()?.clusterId
    const wiped = cluster.machine('n1')
    wiped.crash({ powerLoss: true })
    wiped.wipe()
    cluster.isolate('n1')
    wiped.start()
    await cluster.run(5_000)
    expect(wiped.status()?.clusterId).toBe(null)
    cluster.heal()
    await cluster.until('it has joined', () => wiped.status()?.clusterId != null)
    expect(wiped.status()?.clusterId).toBe(clusterId)
  })

  it('F4: nodes of different clusters never talk', async () => {
    const cluster = new TestCluster()
    await cluster.formed()
    const hello: PeerHello = {
      type: 'hello',
      protocolMin: PROTOCOL_VERSION_MIN,
      protocolMax: PROTOCOL_VERSION_MAX,
      features: 0,
      dirId: 'f'.repeat(32),
      boot: 1,
      clusterId: 'e'.repeat(32),
      mapEpoch: 1_000,
      name: 'n2',
      peerAddress: 'n9:7500',
      clientAddress: 'n9:7400',
      to: null,
      recoveredLog: 0,
      channel: 'control',
      link: 1,
    }
    const heard: string[] = []
    const link = cluster.hub.networkFor('n9').dial(peerAddress('n1'), {
      opened: () => link.send(encodePeerFrame(hello)),
      frame: (bytes) => {
        const frame = decodePeerFrame(bytes)
        heard.push(frame.type === 'unwelcome' ? frame.code : frame.type)
      },
      closed: () => heard.push('closed'),
    })
    await cluster.until('it was sent away', () => heard.includes('closed'))
    expect(heard).toEqual(['WRONG_CLUSTER', 'closed'])
    // A whole node of another cluster at the address of one of ours.
    const epoch = cluster.machine('n1').status()?.mapEpoch
    cluster.machine('n3').crash({ powerLoss: false })
    const stranger = cluster.extra('n3')
    stranger.start({ bootstrap: [{ name: 'n3', address: peerAddress('n3') }] })
    await cluster.until('it has its own cluster', () => stranger.status()?.clusterId != null)
    await cluster.run(3_000)
    expect(stranger.status()?.clusterId).not.toBe(cluster.machine('n1').status()?.clusterId)
    expect(cluster.machine('n1').status()?.mapEpoch).toBe(epoch)
    expect(stranger.status()?.nodes.map((node) => node.name)).toEqual(['n3'])
  })
})

describe('a node started from an older copy of its directory', () => {
  for (const restarts of [1, 2])
    it(`is told RESTORED and halts (rule 10), ${restarts} boot(s) later`, async () => {
      const cluster = new TestCluster()
      const leader = await cluster.formed()
      const client = await cluster.client(leader.name)
      await cluster.wait(client.open())
      await cluster.wait(client.set('a', '1'))
      const [victim] = cluster.followers()
      if (victim === undefined) throw new Error('a follower')
      victim.crash({ powerLoss: false })
      const copy = victim.backup()
      for (let boot = 0; boot < restarts; boot += 1) {
        victim.start()
        await cluster.until('it is back', () => victim.shard(1)?.leader === leader.name)
        for (let at = 0; at < 5; at += 1) await cluster.wait(client.set('a', `${boot} ${at}`))
        await cluster.converged()
        await cluster.run(200)
        victim.crash({ powerLoss: false })
      }
      victim.restore(copy)
      victim.start()
      await cluster.until('it halted', () => victim.halted !== null || victim.refused !== null)
      expect((victim.halted ?? victim.refused)?.message).toContain('old copy')
      expect(valueIn(await cluster.wait(client.get('a')))).toBe(`${restarts - 1} 4`)
    })
})
