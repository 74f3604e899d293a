// This node's copy of the shard map: routes, never decides. Kept in a small file so that a restart finds its peers.
import {
  BadFrameError,
  decodeShardMap,
  type DirId,
  encodeShardMap,
  type GroupId,
  type MapChange,
  type MapNode,
  META_GROUP,
  type ShardMap,
} from '@quorate/protocol'
import { DamageError } from '@quorate/storage'

/** Name of the file in the data directory. */
export const MAP_FILE = 'map'

export interface MapFile {
  read(): Uint8Array | null
  write(bytes: Uint8Array): Promise<void>
}

/** The newest map seen. Invariant: the epoch never goes back and the cluster never changes. */
export class MapHolder {
  #map: ShardMap | null = null
  readonly #file: MapFile
  readonly #changed: ((map: ShardMap) => void)[] = []
  readonly #failed: (error: Error) => void
  #writing = false
  #nodeOfReplica = new Map<string, DirId>()
  #nodes = new Map<DirId, MapNode>()
  #shardBytesMax = 0
  #changes = new Map<GroupId, MapChange>()

  constructor(file: MapFile, failed: (error: Error) => void) {
    this.#file = file
    this.#failed = failed
  }

  get map(): ShardMap | null {
    return this.#map
  }

  /** What the entries of one shard may take, bytes; 0 = no limit. */
  get shardBytesMax(): number {
    return this.#shardBytesMax
  }

  get epoch(): number {
    return this.#map?.epoch ?? 0
  }

  onChange(listener: (map: ShardMap) => void): void {
    this.#changed.push(listener)
  }

  /** Reads the cached copy; a damaged one counts as none: the map also comes from the log and from peers. */
  load(): void {
    try {
      const bytes = this.#file.read()
      if (bytes !== null) this.#set(decodeShardMap(bytes))
    } catch (error) {
      if (!(error instanceof DamageError) && !(error instanceof BadFrameError)) throw error
    }
  }

  /** Takes a map that is newer than the own one; of another cluster or older: ignored. */
  offer(map: ShardMap): void {
    if (this.#map !== null && (map.clusterId !== this.#map.clusterId || map.epoch <= this.#map.epoch)) return
    this.#set(map)
    this.#save()
    for (const listener of this.#changed) listener(map)
  }

  nodeOf(group: GroupId, incarnation: number): DirId | null {
    return this.#nodeOfReplica.get(`${group}.${incarnation}`) ?? null
  }

  /** The incarnation under which `node` hosts the group, by the map; null if it does not. */
  incarnationAt(group: GroupId, node: DirId): number | null {
    const found = this.#map?.groups.find((one) => one.group === group)
    return found?.replicas.find((one) => one.node === node)?.incarnation ?? null
  }

  /** The group's open change of members. */
  changeOf(group: GroupId): MapChange | null {
    return this.#changes.get(group) ?? null
  }

  isRemoved(dirId: DirId): boolean {
    return this.#map?.removed.includes(dirId) ?? false
  }

  get changes(): ReadonlyMap<GroupId, MapChange> {
    return this.#changes
  }

  node(dirId: DirId): MapNode | null {
    return this.#nodes.get(dirId) ?? null
  }

  #set(map: ShardMap): void {
    this.#map = map
    const shards = map.groups.filter(({ group }) => group !== META_GROUP).length
    this.#shardBytesMax = map.bytesMax === 0 ? 0 : Math.max(1, Math.floor(map.bytesMax / Math.max(1, shards)))
    this.#nodes = new Map(map.nodes.map((node) => [node.dirId, node]))
    this.#changes = new Map(
      map.groups.flatMap(({ group, change }) => (change === null ? [] : [[group, change] as const])),
    )
    this.#nodeOfReplica = new Map(
      map.groups.flatMap((group) =>
        group.replicas.map((one) => [`${group.group}.${one.incarnation}`, one.node]),
      ),
    )
  }

  #save(): void {
    const map = this.#map
    if (this.#writing || map === null) return
    this.#writing = true
    this.#file.write(encodeShardMap(map)).then(
      () => {
        this.#writing = false
        if (this.#map !== map) this.#save()
      },
      (error: unknown) => this.#failed(error instanceof Error ? error : new Error(String(error))),
    )
  }
}
