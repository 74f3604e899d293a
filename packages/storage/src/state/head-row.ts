// The row that says of one replica which generation is valid and how far it is applied; read back with every check.
import type { Configuration } from '@quorate/raft'
import assert from 'node:assert/strict'
import { asBuffer, readUint64, writeUint53 } from './row-key.ts'
import type { ReplicaHead } from './state-store.ts'

/** Members per list; far above any cluster, low enough that a damaged length cannot ask for memory. */
const MEMBERS_MAX = 1_024
const NUMBERS = 6
const NUMBER_BYTES = 8
const LIST_LENGTH_BYTES = 2
const LISTS = ['voters', 'outgoing', 'learners', 'learnersNext'] as const

/** A head row whose checksum fits but whose content is impossible: written by a broken or a newer program. */
export class MalformedHeadError extends Error {
  override readonly name = 'MalformedHeadError'
}

/** `group, incarnation, generation, applied index, applied term, configuration index (u64 each) | four lists (u16 count, u64 each) | machine`. */
export function encodeHead(head: ReplicaHead): Buffer {
  const memberCount = LISTS.reduce((sum, list) => sum + head.configuration[list].length, 0)
  const prefix = NUMBERS * NUMBER_BYTES + LISTS.length * LIST_LENGTH_BYTES + memberCount * NUMBER_BYTES
  const bytes = Buffer.allocUnsafe(prefix + head.machine.length)
  let offset = 0
  const number = (value: number): void => {
    writeUint53(bytes, value, offset)
    offset += NUMBER_BYTES
  }
  number(head.group)
  number(head.incarnation)
  number(head.generation)
  number(head.appliedIndex)
  number(head.appliedTerm)
  number(head.configurationIndex)
  for (const list of LISTS) {
    const members = head.configuration[list]
    assert(members.length <= MEMBERS_MAX, `${list}: ${members.length} members, at most ${MEMBERS_MAX}`)
    bytes.writeUInt16BE(members.length, offset)
    offset += LIST_LENGTH_BYTES
    for (const member of members) number(member)
  }
  bytes.set(head.machine, offset)
  return bytes
}

/** The reverse; throws `MalformedHeadError`. The machine's bytes are a copy. */
export function decodeHead(value: Uint8Array): ReplicaHead {
  const bytes = asBuffer(value)
  let offset = 0
  const take = (length: number): number => {
    if (offset + length > bytes.length) throw new MalformedHeadError(`head row ends at ${bytes.length}`)
    offset += length
    return offset - length
  }
  const number = (name: string): number => {
    const read = readUint64(bytes, take(NUMBER_BYTES))
    if (!Number.isSafeInteger(read)) throw new MalformedHeadError(`${name} is no safe integer`)
    return read
  }
  const list = (name: string): number[] => {
    const length = bytes.readUInt16BE(take(LIST_LENGTH_BYTES))
    if (length > MEMBERS_MAX) throw new MalformedHeadError(`${name}: ${length} members`)
    return Array.from({ length }, () => number(name))
  }
  const group = number('group')
  const incarnation = number('incarnation')
  const generation = number('generation')
  const appliedIndex = number('appliedIndex')
  const appliedTerm = number('appliedTerm')
  const configurationIndex = number('configurationIndex')
  const configuration: Configuration = {
    voters: list('voters'),
    outgoing: list('outgoing'),
    learners: list('learners'),
    learnersNext: list('learnersNext'),
  }
  const machine = new Uint8Array(bytes.subarray(offset))
  return {
    group,
    incarnation,
    generation,
    appliedIndex,
    appliedTerm,
    configuration,
    configurationIndex,
    machine,
  }
}

/** The group named at the start of a head row whose checksum failed: a hint at who may be hit, never a fact. */
export function suspectGroup(value: Uint8Array): number | null {
  if (value.length < NUMBER_BYTES) return null
  const group = readUint64(asBuffer(value), 0)
  return Number.isSafeInteger(group) ? group : null
}
