// A cluster of real nodes in a simulated world, and what an observer outside can ask of it.
import type { NodeSettings, NodeStatus, ShardStatus } from '@quorate/node'
import { SimulatedMachine } from './simulated-machine.ts'
import type { World } from './world.ts'

export interface ClusterOptions {
  readonly nodes: number
  readonly shards: number
  readonly settings: Partial<NodeSettings>
}

/** Copies of a group, where there are that many nodes. */
const REPLICAS = 3

export class SimulatedCluster {
  readonly machines: readonly SimulatedMachine[]
  readonly #world: World
  readonly #shards: number

  constructor(world: World, options: ClusterOptions) {
    this.#world = world
    this.#shards = options.shards
    const bootstrap = nodeNames(options.nodes)
    this.machines = bootstrap.map((name) => new SimulatedMachine(name, world, { ...options, bootstrap }))
  }

  machine(name: string): SimulatedMachine {
    const found = this.machines.find((machine) => machine.name === name)
    if (found === undefined) throw new Error(`no machine ${name}`)
    return found
  }

  startNode(name: string): void {
    this.machine(name).start()
  }

  crashNode(name: string, { powerLoss }: { readonly powerLoss: boolean }): void {
    this.machine(name).crash(powerLoss)
  }

  restartNode(name: string): void {
    const machine = this.machine(name)
    if (!machine.running && !machine.refused) machine.start()
  }

  statuses(): NodeStatus[] {
    return this.machines.flatMap((machine) => machine.status() ?? [])
  }

  /** Every shard and the meta group have a leader that serves reads. */
  served(): boolean {
    const leaders = new Set<number>()
    for (const { shards } of this.statuses())
      for (const shard of shards) if (shard.role === 'leader' && shard.servesReads) leaders.add(shard.group)
    for (let group = 0; group <= this.#shards; group++) if (!leaders.has(group)) return false
    return true
  }

  /** Every node runs, and all replicas of each group have applied the same index; what bit rot took does not count. */
  converged(): boolean {
    const statuses = this.statuses()
    const refused = this.machines.filter((machine) => machine.refused).length
    if (statuses.length + refused < this.machines.length) return false
    const damaged = new Set(this.machines.filter((machine) => machine.damaged).map(({ name }) => name))
    const sound = statuses.map((status) => ({
      ...status,
      shards: status.shards.filter(({ state }) => state !== 'condemned' || !damaged.has(status.id)),
    }))
    const replicas = groupReplicas(sound)
    if (replicas.size < this.#shards + 1) return false
    return [...replicas.values()].every(
      (shards) =>
        shards.length + Math.sign(damaged.size) >= Math.min(REPLICAS, this.machines.length) &&
        shards.every(({ appliedIndex }) => appliedIndex === shards[0]?.appliedIndex),
    )
  }

  /** One line for whoever reads the run: what every node says of every group. */
  describe(): string {
    return this.statuses()
      .map(({ id, shards }) => {
        const groups = shards.map(
          ({ group, state, role, term, appliedIndex, commitIndex, firstIndex, lastIndex }) =>
            `${group}:${state === 'live' ? role : state}@${term} ${appliedIndex}/${commitIndex}/${firstIndex}..${lastIndex}`,
        )
        return `${id} (applied/commit/log) ${groups.join(', ')}`
      })
      .join('; ')
  }

  get world(): World {
    return this.#world
  }
}

export function nodeNames(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `n${index + 1}`)
}

function groupReplicas(statuses: readonly NodeStatus[]): Map<number, ShardStatus[]> {
  const replicas = new Map<number, ShardStatus[]>()
  for (const shard of statuses.flatMap(({ shards }) => shards))
    replicas.set(shard.group, [...(replicas.get(shard.group) ?? []), shard])
  return replicas
}
