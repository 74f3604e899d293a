// A terminal that remembers what was written, and a cache that is a map: the command line without a cluster.
import type { ConditionalResult, NodeReport, ReadOptions, ShardMap, Written } from '@quorate/client'
import type { NodeStatus, ShardStatus } from '@quorate/node'
import { QuorateError } from '@quorate/protocol'
import type { Cache, CacheEntry, CallOptions, CliContext, Screen, WriteCondition } from '../src/context.ts'
import { run } from '../src/run.ts'

export class FakeCache implements Cache {
  readonly entries = new Map<string, CacheEntry>()
  reports: NodeReport[] = []
  failure: Error | null = null
  closed = 0
  private version = 0

  /** How the reads were to be read. */
  readonly reads: Pick<ReadOptions, 'consistency' | 'maxAge'>[] = []
  async getEntry(
    key: string,
    { consistency, maxAge }: CallOptions & Pick<ReadOptions, 'consistency' | 'maxAge'>,
  ): Promise<CacheEntry | undefined> {
    this.failIfTold()
    this.reads.push({ consistency, maxAge })
    return this.entries.get(key)
  }
  async set(
    key: string,
    value: unknown,
    options: CallOptions & WriteCondition & { readonly ttl?: number | undefined },
  ): Promise<Written | ConditionalResult> {
    this.failIfTold()
    const seen = this.entries.get(key)
    const lost =
      (options.ifAbsent && seen !== undefined) ||
      (options.ifPresent && seen === undefined) ||
      (options.ifVersion !== undefined && options.ifVersion !== seen?.version)
    if (lost) return { applied: false, version: seen?.version ?? 0, value: seen?.value }
    this.version += 1
    this.entries.set(key, { value, version: this.version, expiresAt: options.ttl })
    const conditional = options.ifVersion !== undefined || options.ifAbsent || options.ifPresent
    return conditional ? { applied: true, version: this.version } : { version: this.version }
  }
  async del(key: string): Promise<boolean> {
    this.failIfTold()
    return this.entries.delete(key)
  }
  /** Here a key expires at its ttl: nothing else tells the tests. */
  async touch(key: string, ttl: number): Promise<boolean> {
    return this.redate(key, ttl)
  }
  async persist(key: string): Promise<boolean> {
    return this.redate(key, undefined)
  }
  private redate(key: string, expiresAt: number | undefined): boolean {
    this.failIfTold()
    const entry = this.entries.get(key)
    if (entry !== undefined) this.entries.set(key, { ...entry, expiresAt })
    return entry !== undefined
  }
  async incr(key: string, by: number): Promise<number> {
    this.failIfTold()
    const value = this.entries.get(key)?.value ?? 0
    if (typeof value !== 'number') throw new QuorateError('NOT_A_NUMBER', 'not-done', 'not a number')
    this.version += 1
    this.entries.set(key, { value: value + by, version: this.version })
    return value + by
  }
  map: ShardMap = shardMap([])
  shardMap(): ShardMap {
    return this.map
  }
  async status(): Promise<readonly NodeReport[]> {
    this.failIfTold()
    return this.reports
  }
  async close(): Promise<void> {
    this.closed += 1
  }
  private failIfTold(): void {
    if (this.failure !== null) throw this.failure
  }
}

export interface Terminal {
  readonly cache: FakeCache
  readonly connections: { endpoints: readonly string[]; timeout: number }[]
  readonly interruption: AbortController
  /** What connecting fails with. */
  refusal: Error | null
  /** What connecting waits for. */
  connecting: Promise<void>
  /** What is on standard error so far. */
  said(): string
  /** Runs one command and returns what a shell would see. */
  type(...args: string[]): Promise<{ code: number; out: string; err: string }>
}

export function openTerminal(screen: Partial<Screen> = {}): Terminal {
  const cache = new FakeCache()
  const connections: Terminal['connections'] = []
  const interruption = new AbortController()
  let err = ''
  const terminal: Terminal = {
    cache,
    connections,
    interruption,
    refusal: null,
    connecting: Promise.resolve(),
    said: () => err,
    async type(...args) {
      let out = ''
      err = ''
      const context: CliContext = {
        out: (text) => (out += text),
        err: (text) => (err += text),
        signal: interruption.signal,
        screen: { outIsTerminal: false, errIsTerminal: false, columns: 80, rows: 24, ...screen },
        connect: async (endpoints, { timeout }) => {
          await terminal.connecting
          if (terminal.refusal !== null) throw terminal.refusal
          connections.push({ endpoints, timeout })
          return cache
        },
      }
      const code = await run(args, context)
      return { code, out, err }
    },
  }
  return terminal
}

/** A map whose slots are split evenly among shards 1, 2, ...; `hosts[0]` names the nodes of shard 1. */
export function shardMap(hosts: readonly (readonly string[])[], meta: readonly string[] = []): ShardMap {
  const names = [...new Set([...meta, ...hosts.flat()])]
  const slots = 16_384
  return {
    clusterId: 'c',
    epoch: 1,
    bytesMax: 0,
    nodes: names.map((name) => ({
      dirId: `dir-${name}`,
      name,
      peerAddress: `${name}:7500`,
      clientAddress: `${name}:7400`,
    })),
    nextIncarnation: 100,
    leaving: [],
    removed: [],
    groups: [meta, ...hosts].map((nodes, group) => ({
      group,
      replicas: nodes.map((name, index) => ({ incarnation: index + 1, node: `dir-${name}` })),
      founders: [],
      change: null,
      foundedAt: group === 0 ? 0 : 1,
    })),
    slots: Uint32Array.from({ length: slots }, (_, slot) =>
      hosts.length === 0 ? 0 : Math.floor((slot * hosts.length) / slots) + 1,
    ),
  }
}

export function answered(status: NodeStatus): NodeReport {
  return { name: status.id, clientAddress: status.clientAddress, status: { ...status }, error: null }
}

export function unanswered(name: string): NodeReport {
  const error = new QuorateError('CANNOT_CONNECT', 'not-done', `no node at ${name}:7400`)
  return { name, clientAddress: `${name}:7400`, status: null, error }
}

export function nodeStatus(id: string, shards: readonly ShardStatus[]): NodeStatus {
  return {
    id,
    dirId: id,
    boot: 1,
    clusterId: 'c',
    pid: 100,
    clientAddress: `${id}:7400`,
    peerAddress: `${id}:7500`,
    state: 'serving',
    mapEpoch: 1,
    lowOnSpace: false,
    log: { batches: 0, syncs: 0, bytesWritten: 0 },
    nodes: [],
    shards,
    changes: [],
  }
}

export function shardStatus(group: number, role: string, fields: Partial<ShardStatus> = {}): ShardStatus {
  return {
    group,
    incarnation: 1,
    state: 'live',
    reason: null,
    role,
    term: 2,
    voters: [],
    learners: [],
    leader: null,
    firstIndex: 1,
    lastIndex: 9,
    durableIndex: 9,
    commitIndex: 9,
    appliedIndex: 9,
    lag: 0,
    slots: 1,
    keys: 5,
    bytes: 0,
    pinnedBytes: 0,
    bytesMax: 0,
    hits: 0,
    misses: 0,
    evictions: 0,
    expiries: 0,
    checkpointIndex: 9,
    snapshotsInstalled: 0,
    stateHash: '0',
    servesReads: role === 'leader',
    ...fields,
  }
}
