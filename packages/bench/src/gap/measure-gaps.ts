// `kill -9` of a server that leads: for how long does each of its shards not answer a write?
import { setTimeout as sleep } from 'node:timers/promises'
import type { ScalarMeasurement } from '../measurement.ts'
import type { Cluster } from '../quorate/cluster.ts'
import { Pulse } from './pulse.ts'

/** Writes flow for so long before a kill. */
const CALM_MS = 500
/** A shard that stood still shows it within this time. */
const WATCHED_MS_MIN = 2_000
const BACK_MS_MAX = 60_000
const POLL_MS = 50
/** A shard that answered so recently is back. */
const LIVELY_MS = 250

/** One measurement per kill; `gapsMs` has a number for every shard that the killed server led. */
export async function measureGaps(
  cluster: Cluster,
  kills: number,
  keys: number,
  measured: (measurement: ScalarMeasurement) => void,
): Promise<void> {
  for (let run = 1; run <= kills; run++) {
    const pulse = await Pulse.start(cluster.endpoints, cluster.shards)
    await sleep(CALM_MS)
    const { name, groups } = await busiestLeader(cluster)
    const server = cluster.servers.find(({ plan }) => plan.name === name)
    if (server === undefined) throw new Error(`no server is called ${name}`)
    pulse.begin()
    await server.end('SIGKILL')
    await sleep(WATCHED_MS_MIN)
    await untilLively(pulse, groups)
    const gapsMs = groups.map((group) => Math.round(pulse.longestMs(group)))
    await pulse.stop()
    await cluster.start(BACK_MS_MAX)
    measured({ system: 'quorate', kind: 'gap', run, shards: cluster.shards, keys, killed: name, gapsMs })
  }
}

async function busiestLeader(cluster: Cluster): Promise<{ name: string; groups: number[] }> {
  const led = (await cluster.statuses()).map(({ id, shards }) => ({
    name: id,
    groups: shards.filter(({ group, role }) => group > 0 && role === 'leader').map(({ group }) => group),
  }))
  const [busiest] = led.toSorted((left, right) => right.groups.length - left.groups.length)
  if (busiest === undefined || busiest.groups.length === 0) throw new Error('nobody leads')
  return busiest
}

async function untilLively(pulse: Pulse, groups: readonly number[]): Promise<void> {
  const deadlineMs = performance.now() + BACK_MS_MAX
  while (groups.some((group) => pulse.silentMs(group) > LIVELY_MS)) {
    if (performance.now() > deadlineMs) throw new Error(`a shard stands still since ${BACK_MS_MAX} ms`)
    await sleep(POLL_MS)
  }
}
