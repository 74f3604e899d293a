// The shard map as bytes: in frames, in the meta group's state and in a node's cache of it.
import assert from 'node:assert/strict'
import { ByteReader } from '../bytes/byte-reader.ts'
import { ByteWriter } from '../bytes/byte-writer.ts'
import type { ClusterId, DirId } from '../identity.ts'
import { limits } from '../limits.ts'
import type { MapChange, MapGroup, MapNode, MapReplica, ShardMap } from '../shard-map.ts'
import { faultOfShardMap } from './check-shard-map.ts'

const SHARD_MAP_VERSION = 2
/** As 2, and behind the slots `bytesMax`: only where there is a limit. */
const BOUNDED_MAP_VERSION = 3
/** Most maps fit; the writer grows for the others. */
const CAPACITY_BYTES = 4096
/** Length and group of a run of slots. */
const RUN_BYTES = 6

/** The map of a cluster that is not formed yet: epoch 0, no nodes, no groups, every slot unassigned. */
export function emptyShardMap(clusterId: ClusterId): ShardMap {
  const slots = new Uint32Array(limits.slots)
  return {
    clusterId,
    epoch: 0,
    nodes: [],
    nextIncarnation: 1,
    leaving: [],
    removed: [],
    groups: [],
    bytesMax: 0,
    slots,
  }
}

/** Maps are immutable and go to every client and peer: each is checked and encoded once. */
const encoded = new WeakMap<ShardMap, Uint8Array>()

/** Encodes a map; asserts that it is one that `decodeShardMap` would take. The bytes are shared: not to be changed. */
export function encodeShardMap(map: ShardMap): Uint8Array {
  const before = encoded.get(map)
  if (before !== undefined) return before
  const bytes = encode(map)
  encoded.set(map, bytes)
  return bytes
}

function encode(map: ShardMap): Uint8Array {
  const fault = faultOfShardMap(map)
  if (fault !== null) assert.fail(`a shard map with ${fault}`)
  const writer = new ByteWriter(CAPACITY_BYTES)
  writer.u8(map.bytesMax === 0 ? SHARD_MAP_VERSION : BOUNDED_MAP_VERSION, 'map version')
  writer.identity(map.clusterId, 'clusterId')
  writer.natural(map.epoch, 'epoch')
  writer.u16(map.nodes.length, 'nodes')
  for (const node of map.nodes) writeNode(writer, node)
  writer.positive(map.nextIncarnation, 'nextIncarnation')
  writeDirectories(writer, map.leaving)
  writeDirectories(writer, map.removed)
  writer.u16(map.groups.length, 'groups')
  for (const group of map.groups) writeGroup(writer, group)
  writeSlots(writer, map.slots)
  if (map.bytesMax !== 0) writer.positive(map.bytesMax, 'bytesMax')
  return writer.finish()
}

/**
 * The map of which `bytes` is the whole encoding; nothing in it refers to `bytes`.
 * @throws BadFrameError also where its parts do not fit together (a slot of an unknown group, a replica on an unknown
 * node, a name used twice ...)
 */
export function decodeShardMap(bytes: Uint8Array): ShardMap {
  const reader = new ByteReader(bytes)
  const version = reader.u8()
  if (version !== SHARD_MAP_VERSION && version !== BOUNDED_MAP_VERSION) reader.fail('an unknown map version')
  const clusterId = reader.identity()
  const epoch = reader.natural()
  const nodes: MapNode[] = []
  for (let left = reader.u16(); left > 0; left -= 1) nodes.push(readNode(reader))
  const nextIncarnation = reader.positive()
  const leaving = readDirectories(reader)
  const removed = readDirectories(reader)
  const groups: MapGroup[] = []
  for (let left = reader.u16(); left > 0; left -= 1) groups.push(readGroup(reader))
  const slots = readSlots(reader)
  const bytesMax = version === BOUNDED_MAP_VERSION ? reader.positive() : 0
  const map: ShardMap = {
    clusterId,
    epoch,
    nodes,
    nextIncarnation,
    leaving,
    removed,
    groups,
    bytesMax,
    slots,
  }
  reader.end()
  const fault = faultOfShardMap(map)
  if (fault !== null) reader.fail(fault)
  return map
}

function writeNode(writer: ByteWriter, node: MapNode): void {
  writer.identity(node.dirId, 'dirId')
  writer.text(node.name, limits.nameBytes, 'node name')
  writer.text(node.peerAddress, limits.addressBytes, 'peer address')
  writer.text(node.clientAddress, limits.addressBytes, 'client address')
}

function readNode(reader: ByteReader): MapNode {
  const dirId = reader.identity()
  const name = reader.text(limits.nameBytes)
  const peerAddress = reader.text(limits.addressBytes)
  return { dirId, name, peerAddress, clientAddress: reader.text(limits.addressBytes) }
}

function writeDirectories(writer: ByteWriter, directories: readonly DirId[]): void {
  writer.u16(directories.length, 'directories')
  for (const dirId of directories) writer.identity(dirId, 'dirId')
}

function readDirectories(reader: ByteReader): DirId[] {
  const directories: DirId[] = []
  for (let left = reader.u16(); left > 0; left -= 1) directories.push(reader.identity())
  return directories
}

function writeGroup(writer: ByteWriter, { group, foundedAt, replicas, founders, change }: MapGroup): void {
  writer.u32(group, 'group')
  writer.natural(foundedAt, 'foundedAt')
  writer.u8(replicas.length, 'replicas')
  for (const { incarnation, node } of replicas) {
    writer.positive(incarnation, 'incarnation')
    writer.identity(node, 'dirId')
  }
  writeIncarnations(writer, founders)
  writer.flag(change !== null)
  if (change === null) return
  writer.positive(change.id, 'change')
  writeIncarnations(writer, change.target)
  writer.flag(change.cancelled)
  writer.natural(change.term, 'term')
}

function readGroup(reader: ByteReader): MapGroup {
  const group = reader.u32()
  const foundedAt = reader.natural()
  const replicas: MapReplica[] = []
  for (let left = reader.u8(); left > 0; left -= 1) {
    const incarnation = reader.positive()
    replicas.push({ incarnation, node: reader.identity() })
  }
  const founders = readIncarnations(reader)
  const change = reader.flag() ? readChange(reader) : null
  return { group, replicas, founders, change, foundedAt }
}

function readChange(reader: ByteReader): MapChange {
  const id = reader.positive()
  const target = readIncarnations(reader)
  const cancelled = reader.flag()
  return { id, target, cancelled, term: reader.natural() }
}

function writeIncarnations(writer: ByteWriter, incarnations: readonly number[]): void {
  writer.u8(incarnations.length, 'incarnations')
  for (const incarnation of incarnations) writer.positive(incarnation, 'incarnation')
}

function readIncarnations(reader: ByteReader): number[] {
  const incarnations: number[] = []
  for (let left = reader.u8(); left > 0; left -= 1) incarnations.push(reader.positive())
  return incarnations
}

/** Slots as runs of one group each: `runs u16`, then for each `length u16 | group u32`. */
function writeSlots(writer: ByteWriter, slots: Uint32Array): void {
  writer.u16(countRuns(slots), 'runs')
  for (let start = 0; start < slots.length;) {
    const end = endOfRun(slots, start)
    writer.u16(end - start, 'run')
    writer.u32(slots[start] ?? 0, 'group')
    start = end
  }
}

/** A cluster's slots are scattered, so that there are thousands of runs, and every client that connects reads them. */
function readSlots(reader: ByteReader): Uint32Array {
  const slots = new Uint32Array(limits.slots)
  const runs = reader.view(reader.u16() * RUN_BYTES)
  const view = new DataView(runs.buffer, runs.byteOffset, runs.byteLength)
  let slot = 0
  for (let at = 0; at < runs.length; at += RUN_BYTES) {
    const length = view.getUint16(at, true)
    const group = view.getUint32(at + 2, true)
    const end = slot + length
    if (length === 0 || end > limits.slots) reader.fail('a run of slots out of range')
    for (; slot < end; slot += 1) slots[slot] = group
  }
  if (slot !== limits.slots) reader.fail('not one group for each slot')
  return slots
}

function countRuns(slots: Uint32Array): number {
  let runs = 0
  for (let start = 0; start < slots.length; start = endOfRun(slots, start)) runs += 1
  return runs
}

function endOfRun(slots: Uint32Array, start: number): number {
  let end = start + 1
  while (end < slots.length && slots[end] === slots[start]) end += 1
  return end
}
