// A replica that is out of its group: it learns it, says nothing more, and nothing brings it back.
import { decodePeerFrame } from '@quorate/protocol'
import { describe, expect, it, vi } from 'vitest'
import { TestCluster } from './fixture/cluster.ts'
import { assign, isOpen, rowsOf, settled } from './fixture/members.ts'
import { Writer } from './fixture/writer.ts'

// Virtual time costs real time where many share a machine.
vi.setConfig({ testTimeout: 240_000 })

async function loaded(): Promise<{ cluster: TestCluster; writer: Writer }> {
  const cluster = new TestCluster()
  await cluster.formed()
  cluster.join('n4')
  await cluster.until(
    'the fourth is in the meta group',
    () => cluster.leader(0)?.shard(0)?.voters.includes('n4') === true && !isOpen(cluster, 0),
  )
  const writer = new Writer(cluster, 1)
  writer.start()
  await writer.more(10)
  return { cluster, writer }
}

describe('a removed replica', () => {
  it('F5: that was down learns it when it comes back, deletes its rows, and no replay of its log brings it back', async () => {
    const { cluster, writer } = await loaded()
    const gone = cluster.machines.find((machine) => machine.name !== 'n4' && machine !== cluster.leader(1))
    const rest = cluster.machines.filter((machine) => machine !== gone).map((machine) => machine.name)
    await cluster.until('it has rows', () => gone !== undefined && rowsOf(gone, 1) > 0)
    gone?.crash({ powerLoss: false })
    await assign(cluster, 1, rest)
    await cluster.until('the change is settled', () => !isOpen(cluster, 1))
    for (let boot = 0; boot < 3; boot += 1) {
      gone?.events.splice(0)
      gone?.start()
      await cluster.until(
        'it hosts the meta group',
        () => gone?.shard(0)?.leader !== null && gone?.shard(0) !== null,
      )
      await cluster.until('it is out of the shard', () => gone?.shard(1) === null)
      await cluster.run(500)
      expect(gone?.saw('replica_removed')).toHaveLength(boot === 0 ? 1 : 0)
      expect(gone?.saw('replica_created')).toEqual([])
      expect(gone !== undefined && rowsOf(gone, 1)).toBe(0)
      expect(gone?.halted).toBe(null)
      gone?.crash({ powerLoss: boot === 1 })
    }
    await writer.stop()
    expect(await writer.lost()).toEqual([])
  })

  it('and crashes at any step of its removal is gone after the next start, rows and all', async () => {
    const { cluster, writer } = await loaded()
    let nodes = ['n1', 'n2', 'n3']
    let crashes = 0
    // Its record is written and synced; a third step may be anybody's.
    for (const [round, nth] of [1, 2, 3, 1, 2, 3, 1, 2].entries()) {
      const gone = cluster.machine(nodes.includes('n3') ? 'n3' : 'n4')
      nodes = gone.name === 'n3' ? ['n1', 'n2', 'n4'] : ['n1', 'n2', 'n3']
      await cluster.until('it has rows', () => rowsOf(gone, 1) > 0)
      await assign(cluster, 1, nodes)
      await cluster.until('it is out', () => gone.shard(1) === null && gone.process.alive)
      let steps = 0
      gone.disk.onBoundary = () => {
        steps += 1
        if (steps !== nth) return
        crashes += 1
        gone.crash({ powerLoss: round % 2 === 0 })
      }
      await cluster.run(50)
      gone.disk.onBoundary = null
      if (!gone.process.alive) gone.start()
      await settled(cluster, 1, nodes)
      await cluster.until('its rows are gone', () => rowsOf(gone, 1) === 0)
    }
    expect(crashes).toBeGreaterThan(5)
    await writer.stop()
    expect(await writer.lost()).toEqual([])
    for (const machine of cluster.machines) expect(machine.halted).toBe(null)
  })

  it('A12: that was paused through it disturbs nobody when it goes on', async () => {
    const { cluster, writer } = await loaded()
    const gone = cluster.machines.find(
      (machine) => machine.name !== 'n4' && machine !== cluster.leader(1) && machine !== cluster.leader(0),
    )
    const rest = cluster.machines.filter((machine) => machine !== gone).map((machine) => machine.name)
    gone?.process.pause()
    await assign(cluster, 1, rest)
    await cluster.until('the change is settled', () =>
      rest.every((name) => cluster.machine(name).status()?.changes.length === 0),
    )
    const term = cluster.leader(1)?.shard(1)?.term
    const leader = cluster.leader(1)
    gone?.process.resume()
    await cluster.run(5_000)
    expect(cluster.leader(1)).toBe(leader)
    expect(leader?.shard(1)?.term).toBe(term)
    expect(gone?.shard(1)).toBe(null)
    await writer.more(10)
    await writer.stop()
    expect(await writer.lost()).toEqual([])
  })

  it('F4 A12: whose node hears of no newer map is told by those whose committed configuration excludes it', async () => {
    const { cluster, writer } = await loaded()
    const gone = cluster.machines.find(
      (machine) => machine.name !== 'n4' && machine !== cluster.leader(1) && machine !== cluster.leader(0),
    )
    const former = gone?.shard(1)?.incarnation
    const rest = cluster.machines.filter((machine) => machine !== gone).map((machine) => machine.name)
    let told = 0
    const toIt = (_: string, to: string): boolean => to === gone?.name
    cluster.hub.setFault((from, to, bytes) => {
      if (!toIt(from, to)) return [0.2]
      const frame = decodePeerFrameOrNull(bytes)
      if (frame?.type === 'excluded') told += 1
      // The meta group is silent to it: neither maps nor entries arrive.
      const isMeta = frame?.type === 'messages' && frame.messages.some((message) => message.group === 0)
      return frame?.type === 'map' || frame?.type === 'snapshotChunk' || isMeta ? [] : [0.2]
    }, toIt)
    cluster.isolate(gone?.name ?? '')
    await assign(cluster, 1, rest)
    await cluster.until('the change is settled', () =>
      rest.every((name) => cluster.machine(name).status()?.changes.length === 0),
    )
    const term = cluster.leader(1)?.shard(1)?.term
    cluster.heal()
    await cluster.until('it is out of the shard', () => gone?.shard(1) === null)
    expect(told).toBeGreaterThan(0)
    await cluster.until(
      'its record and its rows are dealt with',
      () => gone?.saw('replica_removed').length === 1,
    )
    expect(gone?.saw('replica_removed')).toMatchObject([{ group: 1, incarnation: former }])
    // Its map still has it: that brings nothing back.
    await cluster.run(2_000)
    expect(gone?.shard(1)).toBe(null)
    expect(cluster.leader(1)?.shard(1)?.term).toBe(term)
    cluster.hub.setFault(null)
    await writer.stop()
    expect(await writer.lost()).toEqual([])
  })
})

function decodePeerFrameOrNull(bytes: Uint8Array): ReturnType<typeof decodePeerFrame> | null {
  try {
    return decodePeerFrame(bytes)
  } catch {
    return null
  }
}
