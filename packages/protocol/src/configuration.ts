// A Raft configuration as bytes: in configuration entries, checkpoints and snapshots (dissertation 4.3).
import assert from 'node:assert/strict'
import type { Configuration, ReplicaId } from '@quorate/raft'
import { ByteReader } from './bytes/byte-reader.ts'
import { ByteWriter } from './bytes/byte-writer.ts'
import { limits } from './limits.ts'

const CONFIGURATION_VERSION = 1

/** Encodes a configuration; asserts that it keeps the rules of its type. */
export function encodeConfiguration(configuration: Configuration): Uint8Array {
  const fault = faultOf(configuration)
  if (fault !== null) assert.fail(`${fault}: ${JSON.stringify(configuration)}`)
  const { voters, outgoing, learners, learnersNext } = configuration
  const lists = [voters, outgoing, learners, learnersNext]
  const writer = new ByteWriter(lists.reduce((length, list) => length + 1 + list.length * 8, 1))
  writer.u8(CONFIGURATION_VERSION, 'configuration version')
  for (const list of lists) {
    writer.u8(list.length, 'configuration list')
    for (const replica of list) writer.positive(replica, 'replica')
  }
  return writer.finish()
}

/**
 * The configuration of which `bytes` is the whole encoding. No voters at all is legal: a replica that knows of no
 * group yet.
 * @throws BadFrameError
 */
export function decodeConfiguration(bytes: Uint8Array): Configuration {
  const reader = new ByteReader(bytes)
  if (reader.u8() !== CONFIGURATION_VERSION) reader.fail('an unknown configuration version')
  const voters = readList(reader)
  const outgoing = readList(reader)
  const learners = readList(reader)
  const learnersNext = readList(reader)
  reader.end()
  const configuration: Configuration = { voters, outgoing, learners, learnersNext }
  const fault = faultOf(configuration)
  if (fault !== null) reader.fail(fault)
  return configuration
}

function readList(reader: ByteReader): ReplicaId[] {
  const length = reader.u8()
  const list: ReplicaId[] = []
  for (let at = 0; at < length; at += 1) list.push(reader.positive())
  return list
}

/** What is wrong with a configuration; null if nothing is. */
function faultOf({ voters, outgoing, learners, learnersNext }: Configuration): string | null {
  for (const list of [voters, outgoing, learners, learnersNext]) {
    if (list.length > limits.configurationReplicas) return 'too many replicas in a list'
    if (!isAscending(list)) return 'a list of replicas that is not strictly ascending'
  }
  if (voters.length === 0 && outgoing.length > 0) return 'a joint configuration without voters'
  if (overlap(learners, voters) || overlap(learners, outgoing)) return 'a learner that is a voter'
  if (overlap(learnersNext, voters) || overlap(learnersNext, learners))
    return 'a next learner that is one already'
  if (learnersNext.some((replica) => !outgoing.includes(replica)))
    return 'a next learner that is not outgoing'
  return null
}

function isAscending(list: readonly ReplicaId[]): boolean {
  return list.every((replica, at) => at === 0 || (list[at - 1] ?? 0) < replica)
}

function overlap(left: readonly ReplicaId[], right: readonly ReplicaId[]): boolean {
  return left.some((replica) => right.includes(replica))
}
