// A cluster of real nodes in a simulated world, and what an observer outside can ask of it.
import type { NodeOptions, NodeSettings, NodeStatus } from '@quorate/node'
import { groupsThatDiffer } from './convergence.ts'
import { SimulatedMachine } from './simulated-machine.ts'
import type { World } from './world.ts'

export interface ClusterOptions {
  readonly nodes: number
  readonly spares: number
  readonly shards: number
  readonly settings: Partial<NodeSettings>
  readonly maxBytes: number
  readonly removed: NonNullable<NodeOptions['removed']>
}

export class SimulatedCluster {
  readonly machines: readonly SimulatedMachine[]
  readonly #world: World
  readonly #shards: number

  constructor(world: World, options: ClusterOptions) {
    this.#world = world
    this.#shards = options.shards
    const all = nodeNames(options.nodes + options.spares)
    const bootstrap = all.slice(0, options.nodes)
    this.machines = all.map((name) => new SimulatedMachine(name, world, { ...options, bootstrap }))
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

  /** Of every group that one node leads and serves. */
  leaders(): { readonly group: number; readonly leader: string; readonly voters: readonly string[] }[] {
    return this.statuses().flatMap(({ id, shards }) =>
      shards
        .filter(({ role, servesReads }) => role === 'leader' && servesReads)
        .map(({ group, voters }) => ({ group, leader: id, voters })),
    )
  }

  metaLeader(): SimulatedMachine | null {
    const found = this.leaders().find(({ group }) => group === 0)
    return found === undefined ? null : this.machine(found.leader)
  }

  /** Every node runs, no change of members is open, and the replicas of each group are where they should be, and equal. */
  converged(): boolean {
    const statuses = this.statuses()
    const refused = this.machines.filter((machine) => machine.refused).length
    if (statuses.length + refused < this.machines.length) return false
    const damaged = new Set(this.machines.filter((machine) => machine.damaged).map(({ name }) => name))
    // A damaged directory takes no replica, though the meta group asks its node again and again to be a member.
    const broken = new Set(this.machines.filter((machine) => !machine.sound).map(({ name }) => name))
    const open = statuses.flatMap(({ changes }) => changes)
    if (open.some(({ target }) => !target.some((name) => broken.has(name)))) return false
    const groups = Array.from({ length: this.#shards + 1 }, (_, group) => group)
    return groupsThatDiffer(statuses, groups, { damaged, broken }).length === 0
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
