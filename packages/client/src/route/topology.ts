// What the client knows of the cluster: the map, who leads what as far as it heard, and each group's log time.
import { type ClusterId, type GroupId, type ShardMap, QuorateError } from '@quorate/protocol'
import type { LogTime } from '../calls/call.ts'
import { tighterTime } from '../calls/not-after.ts'

interface Route {
  /** Client address of the node that leads, as far as anybody said; null: ask the candidates. */
  leader: string | null
  /** The leader that `onLeader` was told of last. */
  announced: string | null
  /** Which replica is asked while no leader is known. All calls ask the same one, so that they keep their order. */
  candidate: number
  time: LogTime | null
}

export class Topology {
  readonly seeds: readonly string[]
  /** Told when another node than the known one leads a group. */
  onLeader: ((group: GroupId, address: string) => void) | null = null
  #map: ShardMap | null = null
  #addresses = new Map<GroupId, readonly string[]>()
  readonly #routes = new Map<GroupId, Route>()

  constructor(seeds: readonly string[]) {
    this.seeds = seeds
  }

  get map(): ShardMap | null {
    return this.#map
  }

  get epoch(): number {
    return this.#map?.epoch ?? 0
  }

  get clusterId(): ClusterId | null {
    return this.#map?.clusterId ?? null
  }

  /**
   * Takes a newer map; says whether it was newer.
   * @throws QuorateError `WRONG_CLUSTER` for the map of another cluster: an address was given to somebody else.
   */
  adopt(map: ShardMap): boolean {
    if (this.#map !== null && map.clusterId !== this.#map.clusterId) {
      throw new QuorateError(
        'WRONG_CLUSTER',
        'not-done',
        `cluster ${map.clusterId} instead of ${this.#map.clusterId}`,
      )
    }
    if (this.#map !== null && map.epoch <= this.#map.epoch) return false
    this.#map = map
    const clientAddress = new Map(map.nodes.map((node) => [node.dirId, node.clientAddress]))
    this.#addresses = new Map(
      map.groups.map(({ group, replicas }) => [
        group,
        replicas.flatMap((replica) => clientAddress.get(replica.node) ?? []),
      ]),
    )
    // A leader that hosts its group no more leads it no more: it would refuse for ever.
    for (const [group, route] of this.#routes)
      if (route.leader !== null && this.#addresses.get(group)?.includes(route.leader) === false)
        route.leader = null
    return true
  }

  /** The group that the map assigns to a slot; 0 if none. */
  groupOf(slot: number): GroupId {
    return this.#map?.slots[slot] ?? 0
  }

  /** Every node's client address, then the addresses the user gave. */
  everyAddress(): readonly string[] {
    const known = this.#map?.nodes.map((node) => node.clientAddress) ?? []
    return [...new Set([...known, ...this.seeds])]
  }

  /** Where the next attempt for a group goes; null if the map names no replica. */
  addressFor(group: GroupId): string | null {
    const { leader, candidate } = this.#route(group)
    if (leader !== null) return leader
    const addresses = this.#addresses.get(group) ?? []
    return addresses[candidate % addresses.length] ?? null
  }

  /** Client addresses of all its replicas. */
  replicasOf(group: GroupId): readonly string[] {
    return this.#addresses.get(group) ?? []
  }

  /** As far as anybody said. */
  leaderOf(group: GroupId): string | null {
    return this.#route(group).leader
  }

  leads(group: GroupId, address: string): void {
    const route = this.#route(group)
    route.leader = address
    if (route.announced === address) return
    route.announced = address
    this.onLeader?.(group, address)
  }

  /** `address` said that it does not lead; `hint` is the client address of who does, if it knows. */
  doesNotLead(group: GroupId, address: string, hint: string | null): void {
    this.avoid(group, address)
    if (hint !== null && hint !== address) this.#route(group).leader = hint
  }

  /** `address` failed to answer: the next attempt goes elsewhere, unless a later answer brought it back meanwhile. */
  avoid(group: GroupId, address: string): void {
    const route = this.#route(group)
    const addresses = this.#addresses.get(group) ?? []
    if (route.leader === address) route.leader = null
    if (addresses[route.candidate % addresses.length] === address) route.candidate += 1
  }

  timeOf(group: GroupId): LogTime | null {
    return this.#route(group).time
  }

  noteTime(group: GroupId, time: LogTime): void {
    const route = this.#route(group)
    route.time = tighterTime(route.time, time)
  }

  #route(group: GroupId): Route {
    const known = this.#routes.get(group)
    if (known !== undefined) return known
    const route: Route = { leader: null, announced: null, candidate: group, time: null }
    this.#routes.set(group, route)
    return route
  }
}
