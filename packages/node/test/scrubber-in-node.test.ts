// The scrubber where it lives: a whole node on memory twins, its store hurt while it runs.
import { createMemoryDisk, createSeededRandom } from '@quorate/runtime'
import { createMemoryStateWorld } from '@quorate/storage'
import { createMemoryNetwork } from '@quorate/transport'
import { describe, expect, it } from 'vitest'
import { createNode } from '../src/create-node.ts'
import type { NodeEvent } from '../src/node.ts'
import { VirtualTime } from './support/virtual-time.ts'

const PEER = 'n1:7500'

function singleNode() {
  const time = new VirtualTime()
  const random = createSeededRandom(5)
  const states = createMemoryStateWorld({ timers: time, random })
  const hub = createMemoryNetwork({ timers: time, random })
  const events: NodeEvent[] = []
  // Where a node keeps its state is its own business.
  let directory = ''
  const node = createNode({
    name: 'n1',
    dataDirectory: '/data',
    listen: 'n1:7400',
    peerListen: PEER,
    bootstrap: [{ name: 'n1', address: PEER }],
    shards: 2,
    runtime: {
      clock: time,
      timers: time,
      random,
      disk: createMemoryDisk({ timers: time, random }).disk,
      network: hub.networkFor('n1'),
    },
    openStateStore: (path, dirId) => {
      directory = path
      return states.open(path, dirId)
    },
    settings: { segmentBytes: 65_536, checkpointMsMin: 50, checkpointMsMax: 200, scrubMs: 60_000 },
    log: (event) => events.push(event),
  })
  return { time, states, node, events, directory: () => directory }
}

describe('a running node', () => {
  it('G2: scrubs what it holds, condemns the shard that lost a row, goes on with the others, and stops', async () => {
    const { time, states, node, events, directory } = singleNode()
    await time.settle(node.start())
    const scrubbed = () => events.filter(({ code }) => code === 'scrubbed')
    await time.until(() => scrubbed().some(({ replicas }) => replicas === 3), 300_000)
    expect(events.filter(({ code }) => code === 'replica_condemned')).toEqual([])

    const [key] = states.rows(directory()).findLast(([each]) => Buffer.from(each).readUInt32BE(0) === 2) ?? []
    if (key === undefined) throw new Error('shard 2 has no row')
    states.tamper(directory(), key, null)
    const before = scrubbed().length
    await time.until(() => scrubbed().length > before, 300_000)
    const condemned = events.filter(({ code }) => code === 'replica_condemned')
    expect(condemned).toMatchObject([{ group: 2, reason: expect.stringMatching(/^scrubber: /) }])
    expect(scrubbed().at(-1)).toMatchObject({ replicas: 2 })
    expect(node.status().shards.map(({ group, state }) => [group, state])).toEqual([
      [0, 'live'],
      [1, 'live'],
      [2, 'condemned'],
    ])
    await time.settle(node.stop())
    expect(events.some(({ code }) => code === 'halted')).toBe(false)
  })
})
