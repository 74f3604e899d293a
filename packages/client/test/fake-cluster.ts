// A cluster as the client sees one: nodes that lead or do not, sessions, versions; a script may answer in its place.
import {
  type Answer,
  type ClientReply,
  type Command,
  FEATURE_RELAXED_READS,
  type RelaxedRead,
  type Result,
  type Section,
  type ServerFrame,
  type ShardMap,
  type Value,
  decodeClientFrame,
  decodeSection,
  encodeServerFrame,
  limits,
  slotOf,
} from '@quorate/protocol'
import { type Connection, createSeededRandom } from '@quorate/runtime'
import { type MemoryHub, createMemoryNetwork } from '@quorate/transport'
import type { ClientRuntime } from '../src/index.ts'
import { type VirtualTime, createVirtualTime } from './virtual-time.ts'

export const CLUSTER_ID = 'c0ffee00c0ffee00c0ffee00c0ffee00'

/** A request as a node got it. */
export type Asked =
  | { readonly type: 'write'; readonly requestId: number; readonly group: number; readonly section: Section }
  | {
      readonly type: 'read'
      readonly requestId: number
      readonly group: number
      readonly keys: readonly Uint8Array[]
      readonly how?: RelaxedRead
    }

/**
 * What a script says to a request: `serve` as an honest node would, `silent` for ever, `apply` and lose the reply,
 * `cut` the connection unapplied, `applyAndCut`, or a reply of its own.
 */
export type Said =
  | 'serve'
  | 'silent'
  | 'apply'
  | 'cut'
  | 'applyAndCut'
  | Omit<ClientReply & { type: 'refused' | 'open' }, 'requestId'>
  | readonly Answer[]

export type Script = (asked: Asked, node: FakeNode) => Said

interface Entry {
  readonly version: number
  readonly value: Value
  /** Log-clock ms; 0 or nothing = never. */
  readonly expiresAt?: number
}

interface FakeSession {
  ackedUpTo: number
  readonly answers: Map<number, Answer>
}

/** One shard's state, as simple as it can be. */
export interface FakeGroup {
  readonly group: number
  leader: string | null
  lastVersion: number
  readonly entries: Map<string, Entry>
  readonly sessions: Map<string, FakeSession>
  /** Sequences executed, in order: twice the same is an operation done twice. */
  readonly executed: string[]
}

export interface FakeNode {
  readonly name: string
  readonly address: string
  readonly connections: Set<Connection>
  helloCount: number
}

export interface FakeClusterOptions {
  readonly nodes?: number
  readonly shards?: number
  readonly latencyMs?: number
}

export interface FakeCluster {
  readonly time: VirtualTime
  readonly hub: MemoryHub
  readonly runtime: ClientRuntime
  readonly nodes: readonly FakeNode[]
  readonly groups: ReadonlyMap<number, FakeGroup>
  readonly addresses: readonly string[]
  /** Every request of every node, in order. */
  readonly asked: { readonly node: string; readonly at: number; readonly request: Asked }[]
  script: Script
  /** What nodes tell in their welcome. */
  features: number
  /** How old a stale read finds a node's data, ms; null: it cannot tell. */
  ageAt: (node: FakeNode) => number | null
  map: ShardMap
  /** What a node says of itself; null: nothing, ever. */
  statusOf: (node: FakeNode) => object | null
  /** The log clock of all shards now. */
  logTime: () => number
  send(node: FakeNode, frame: ServerFrame): void
  node(index: number): FakeNode
  group(group: number): FakeGroup
  apply(group: FakeGroup, section: Section): Answer[]
  listen(node: FakeNode): Promise<void>
}

export async function createFakeCluster(options: FakeClusterOptions = {}): Promise<FakeCluster> {
  const time = createVirtualTime()
  const random = createSeededRandom(7)
  const hub = createMemoryNetwork({ timers: time.timers, random, latencyMs: options.latencyMs ?? 1 })
  const nodes = Array.from({ length: options.nodes ?? 3 }, (_, index) => createNode(index))
  const shards = options.shards ?? 2
  const groups = new Map(
    Array.from({ length: shards }, (_, index) => [
      index + 1,
      createGroup(index + 1, nodes[0]?.address ?? null),
    ]),
  )
  const cluster: FakeCluster = {
    time,
    hub,
    runtime: { clock: time.clock, timers: time.timers, random, network: hub.networkFor('client') },
    nodes,
    groups,
    addresses: nodes.map((node) => node.address),
    asked: [],
    script: () => 'serve',
    features: FEATURE_RELAXED_READS,
    ageAt: () => 40,
    map: createMap(nodes, shards),
    statusOf: ({ name }) => ({ id: name, state: 'serving' }),
    logTime: () => 5_000_000 + Math.floor(time.now),
    send: (node, frame) => {
      for (const connection of node.connections) connection.send(encodeServerFrame(frame))
    },
    node: (index) => must(nodes[index]),
    group: (group) => must(groups.get(group)),
    apply: (group, section) => applySection(cluster, group, section),
    listen: (node) => listen(cluster, node),
  }
  for (const node of nodes) await listen(cluster, node)
  return cluster
}

export function must<T>(value: T | undefined | null): T {
  if (value === undefined || value === null) throw new Error('a fixture lacks something')
  return value
}

function createNode(index: number): FakeNode {
  return { name: `n${index + 1}`, address: `n${index + 1}:7400`, connections: new Set(), helloCount: 0 }
}

function createGroup(group: number, leader: string | null): FakeGroup {
  return { group, leader, lastVersion: 0, entries: new Map(), sessions: new Map(), executed: [] }
}

const dirIdOf = (index: number): string => String(index + 1).padStart(32, 'a')

export function createMap(nodes: readonly FakeNode[], shards: number, epoch = 10): ShardMap {
  const replicas = nodes.map((_, index) => ({ incarnation: index + 1, node: dirIdOf(index) }))
  return {
    clusterId: CLUSTER_ID,
    epoch,
    nodes: nodes.map(({ name, address }, index) => ({
      dirId: dirIdOf(index),
      name,
      peerAddress: `${name}:7500`,
      clientAddress: address,
    })),
    nextIncarnation: 1_000,
    leaving: [],
    removed: [],
    bytesMax: 0,
    groups: Array.from({ length: shards + 1 }, (_, group) => ({
      group,
      replicas,
      founders: [],
      change: null,
      foundedAt: group === 0 ? 0 : 5,
    })),
    slots: Uint32Array.from({ length: limits.slots }, (_, slot) => (slot % shards) + 1),
  }
}

async function listen(cluster: FakeCluster, node: FakeNode): Promise<void> {
  await cluster.hub.networkFor(node.name).listen(node.address, (connection) => {
    node.connections.add(connection)
    return {
      frame: (bytes) => receive(cluster, node, connection, bytes),
      closed: () => void node.connections.delete(connection),
    }
  })
}

function receive(cluster: FakeCluster, node: FakeNode, connection: Connection, bytes: Uint8Array): void {
  const frame = decodeClientFrame(bytes)
  if (frame.type === 'hello') {
    node.helloCount += 1
    const { map } = cluster
    const welcome = {
      type: 'welcome',
      protocol: 1,
      clusterId: map.clusterId,
      node: node.name,
      boot: 1,
      features: cluster.features,
      map,
    } as const
    return connection.send(encodeServerFrame(welcome))
  }
  if (frame.type === 'status') {
    const status = cluster.statusOf(node)
    if (status === null) return
    const json = JSON.stringify(status)
    return connection.send(encodeServerFrame({ type: 'status', requestId: frame.requestId, json }))
  }
  if (frame.type === 'admin') throw new Error('a client asks for no change of members')
  const replies: ClientReply[] = []
  for (const request of frame.requests) {
    const asked = describe(request)
    cluster.asked.push({ node: node.name, at: cluster.time.now, request: asked })
    const said = cluster.script(asked, node)
    const reply = react(cluster, node, asked, said)
    if (said === 'cut' || said === 'applyAndCut') return connection.close()
    if (reply !== null) replies.push(reply)
  }
  if (replies.length > 0)
    connection.send(encodeServerFrame({ type: 'replies', mapEpoch: cluster.map.epoch, replies }))
}

function describe(
  request: ReturnType<typeof decodeClientFrame> extends infer F
    ? F extends { type: 'requests'; requests: readonly (infer R)[] }
      ? R
      : never
    : never,
): Asked {
  const { requestId } = request
  if (request.type === 'read') {
    return {
      type: 'read',
      requestId,
      group: request.section.group,
      keys: request.section.keys.map((key) => key.slice()),
      ...(request.how === undefined ? {} : { how: request.how }),
    }
  }
  // A copy first: what is decoded are views of a frame that is overwritten when this turn ends.
  const { section } = decodeSection(request.section.slice())
  return { type: 'write', requestId, group: request.group, section }
}

function react(cluster: FakeCluster, node: FakeNode, asked: Asked, said: Said): ClientReply | null {
  const { requestId } = asked
  if (said === 'silent' || said === 'cut') return null
  if (typeof said === 'object') {
    if ('type' in said) return { ...said, requestId }
    return { type: 'answers', requestId, leaderTime: cluster.logTime(), answers: said }
  }
  const group = cluster.groups.get(asked.group)
  if (group === undefined) return { type: 'refused', requestId, code: 'WRONG_SHARD', leader: null }
  if (asked.type === 'read' && asked.how?.consistency === 'stale') {
    const age = cluster.ageAt(node)
    const { maxAge } = asked.how
    if (maxAge !== null && (age === null || age > maxAge))
      return { type: 'refused', requestId, code: 'TOO_OLD', leader: group.leader }
    // A follower's log clock lags: whoever takes it for L makes commands that are late at once.
    return { type: 'answers', requestId, leaderTime: 1, answers: readAll(cluster, group, asked.keys), age }
  }
  if (group.leader !== node.address)
    return { type: 'refused', requestId, code: 'NOT_LEADER', leader: group.leader }
  const leaderTime = cluster.logTime()
  if (asked.type === 'write' && asked.section.kind === 'openSession' && asked.section.notAfter < leaderTime)
    return { type: 'refused', requestId, code: 'LATE', leader: null, leaderTime }
  const answers =
    asked.type === 'read' ? readAll(cluster, group, asked.keys) : applySection(cluster, group, asked.section)
  if (said !== 'serve') return null
  return { type: 'answers', requestId, leaderTime: cluster.logTime(), answers }
}

export function positionOf(
  cluster: FakeCluster,
  group: FakeGroup,
): { epoch: number; version: number; t: number } {
  return { epoch: cluster.map.epoch, version: group.lastVersion, t: cluster.logTime() }
}

/** Expired is `deadline <= clock`. */
function liveEntry(group: FakeGroup, key: string, clock: number): Entry | undefined {
  const entry = group.entries.get(key)
  if (entry?.expiresAt !== undefined && entry.expiresAt > 0 && entry.expiresAt <= clock) return undefined
  return entry
}

function readAll(cluster: FakeCluster, group: FakeGroup, keys: readonly Uint8Array[]): Answer[] {
  return keys.map((key) => {
    const position = positionOf(cluster, group)
    const entry = liveEntry(group, nameOf(key), cluster.logTime())
    const result: Result =
      entry === undefined
        ? { type: 'absent' }
        : { type: 'entry', version: entry.version, value: entry.value, expiresAt: entry.expiresAt ?? 0 }
    return { type: 'applied', position, result }
  })
}

const nameOf = (key: Uint8Array): string => Buffer.from(key).toString('latin1')

function applySection(cluster: FakeCluster, group: FakeGroup, section: Section): Answer[] {
  const applied = (result: Result): Answer => ({
    type: 'applied',
    position: positionOf(cluster, group),
    result,
  })
  if (section.kind === 'openSession') {
    group.lastVersion += 1
    const session = { group: group.group, version: group.lastVersion }
    group.sessions.set(`${session.group}.${session.version}`, { ackedUpTo: 0, answers: new Map() })
    return [applied({ type: 'sessionOpened', session })]
  }
  if (section.kind === 'closeSession') {
    group.sessions.delete(`${section.session.group}.${section.session.version}`)
    return [applied({ type: 'done' })]
  }
  if (section.kind !== 'commands') return []
  const id = `${section.session.group}.${section.session.version}`
  const session = group.sessions.get(id)
  return section.commands.map((command) => {
    const refused = (code: Extract<Answer, { type: 'refused' }>['code']): Answer => ({
      type: 'refused',
      code,
      position: positionOf(cluster, group),
    })
    if (session === undefined) return refused('SESSION_EXPIRED')
    session.ackedUpTo = Math.max(session.ackedUpTo, section.ackedUpTo)
    if (command.sequence <= session.ackedUpTo) return refused('STALE')
    const stored = session.answers.get(command.sequence)
    if (stored !== undefined) return stored
    if (cluster.map.slots[slotOf(command.key)] !== group.group) return refused('MOVED')
    if (cluster.logTime() > command.notAfter) return refused('LATE')
    if (command.sequence > session.ackedUpTo + limits.sessionWindow) return refused('SESSION_WINDOW')
    group.executed.push(`${id}/${command.sequence}`)
    const answer = applied(execute(group, command, cluster.logTime()))
    const final = { ...answer, position: positionOf(cluster, group) } as Answer
    session.answers.set(command.sequence, final)
    return final
  })
}

function execute(group: FakeGroup, command: Command, clock: number): Result {
  const key = nameOf(command.key)
  const entry = liveEntry(group, key, clock)
  if (command.op === 'incr') {
    if (entry !== undefined && entry.value.type !== 'integer') return { type: 'notANumber' }
    const integer = (entry?.value.type === 'integer' ? entry.value.integer : 0) + command.by
    if (!Number.isSafeInteger(integer)) return { type: 'overflow' }
    group.lastVersion += 1
    group.entries.set(key, { version: group.lastVersion, value: { type: 'integer', integer } })
    return { type: 'counted', version: group.lastVersion, integer }
  }
  const { condition } = command
  const holds =
    condition.type === 'always' ||
    (condition.type === 'ifAbsent' && entry === undefined) ||
    (condition.type === 'ifPresent' && entry !== undefined) ||
    (condition.type === 'ifVersion' && entry?.version === condition.version)
  if (!holds)
    return { type: 'lost', version: entry?.version ?? 0, value: entry?.value ?? null, valueOmitted: false }
  if (command.op === 'del') {
    if (entry === undefined) return { type: 'deleted', existed: false }
    group.lastVersion += 1
    group.entries.delete(key)
    return { type: 'deleted', existed: true }
  }
  if (command.op !== 'set' && entry === undefined) return { type: 'touched', version: 0 }
  group.lastVersion += 1
  const value = command.op === 'set' ? command.value : (entry?.value ?? { type: 'integer', integer: 0 })
  const expiresAt = command.op === 'persist' || command.ttl === 0 ? 0 : clock + command.ttl
  group.entries.set(key, { version: group.lastVersion, value, expiresAt })
  if (command.op !== 'set') return { type: 'touched', version: group.lastVersion }
  return { type: 'written', version: group.lastVersion }
}
