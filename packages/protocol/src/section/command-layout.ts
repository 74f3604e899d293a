// One command in its section: `op u8 | flags u8 | keyLen u16 | valueLen u32 | sequence u32 | notAfter f64 | [ifVersion f64] | [ttl f64] | [by f64] | key | value`.
import assert from 'node:assert/strict'
import type { ByteReader } from '../bytes/byte-reader.ts'
import type { ByteWriter } from '../bytes/byte-writer.ts'
import type { Command, Condition } from '../command.ts'
import { limits } from '../limits.ts'
import { readValue, skipValue, valueLength, writeValue } from '../value.ts'
import { unreachable } from '../unreachable.ts'

export const OP_SET = 1
export const OP_DEL = 2
export const OP_INCR = 3
export const OP_TOUCH = 4
export const OP_PERSIST = 5

export const CONDITION_MASK = 0b011
export const IF_VERSION = 1
export const IF_ABSENT = 2
export const IF_PRESENT = 3
export const HAS_TTL = 0b100
/** Of a set: the entry is never evicted. */
export const PINS = 0b1000

/** Up to and with `notAfter`. */
export const FIXED_BYTES = 20
export const FLOAT_BYTES = 8

/** Length of a command on the wire. */
export function commandBytes(command: Command): number {
  let length = FIXED_BYTES + command.key.length
  if (command.op === 'incr') return length + FLOAT_BYTES
  if (command.condition.type === 'ifVersion') length += FLOAT_BYTES
  if (hasTtl(command)) length += FLOAT_BYTES
  return command.op === 'set' ? length + valueLength(command.value) : length
}

/** `sequence` travels as its distance from the section's `firstSequence`, so that a long-lived session never runs out. */
export function writeCommand(writer: ByteWriter, command: Command, firstSequence: number): void {
  const { key } = command
  if (key.length === 0 || key.length > limits.keyBytes) assert.fail(`a key of ${key.length} bytes`)
  const valueBytes = command.op === 'set' ? valueLength(command.value) : 0
  writer.u8(opOf(command), 'op')
  writer.u8(flagsOf(command), 'flags')
  writer.u16(key.length, 'key length')
  writer.u32(valueBytes, 'value length')
  writer.u32(command.sequence - firstSequence, 'sequence')
  writer.natural(command.notAfter, 'notAfter')
  if (command.op === 'incr') writer.integer(command.by, 'by')
  else if (command.condition.type === 'ifVersion') writer.natural(command.condition.version, 'ifVersion')
  if (hasTtl(command)) {
    if (command.ttl > limits.ttlMs) assert.fail(`a ttl of ${command.ttl} ms`)
    writer.positive(command.ttl, 'ttl')
  }
  writer.raw(key)
  if (command.op === 'set') writeValue(writer, command.value)
}

/** Reads a command; key and value are views of the reader's bytes. */
export function readCommand(reader: ByteReader, firstSequence: number): Command {
  const op = reader.u8()
  const flags = readFlags(reader, op)
  const keyBytes = readKeyLength(reader)
  const valueBytes = readValueLength(reader, op)
  const sequence = readSequence(reader, firstSequence)
  const notAfter = reader.natural()
  if (op === OP_INCR) {
    const by = reader.integer()
    return { op: 'incr', sequence, notAfter, key: reader.view(keyBytes), by }
  }
  const condition = readCondition(reader, flags)
  const ttl = (flags & HAS_TTL) === 0 ? 0 : readTtl(reader)
  const common = { sequence, notAfter, key: reader.view(keyBytes), condition }
  if (op === OP_DEL) return { op: 'del', ...common }
  if (op === OP_TOUCH) return { op: 'touch', ...common, ttl }
  if (op === OP_PERSIST) return { op: 'persist', ...common }
  const value = readValue(reader, valueBytes, 'view')
  if ((flags & PINS) !== 0) return { op: 'set', ...common, value, ttl, evict: false }
  return { op: 'set', ...common, value, ttl }
}

/** What the commands of a section have in common. */
export interface SeenCommands {
  deletesOnly: boolean
  pins: boolean
  notAfterMax: number
}

/** Checks a command as `readCommand` does, makes nothing, and notes in `seen` what the leader needs to know. */
export function skipCommand(reader: ByteReader, firstSequence: number, seen: SeenCommands): void {
  const op = reader.u8()
  const flags = readFlags(reader, op)
  const keyBytes = readKeyLength(reader)
  const valueBytes = readValueLength(reader, op)
  readSequence(reader, firstSequence)
  const notAfter = reader.natural()
  if (notAfter > seen.notAfterMax) seen.notAfterMax = notAfter
  if (op !== OP_DEL) seen.deletesOnly = false
  if ((flags & PINS) !== 0) seen.pins = true
  if (op === OP_INCR) reader.integer()
  else if ((flags & CONDITION_MASK) === IF_VERSION) reader.natural()
  if ((flags & HAS_TTL) !== 0) readTtl(reader)
  reader.skip(keyBytes)
  if (op === OP_SET) skipValue(reader, valueBytes)
}

function readFlags(reader: ByteReader, op: number): number {
  switch (op) {
    case OP_SET:
      return reader.flags(CONDITION_MASK | HAS_TTL | PINS)
    case OP_TOUCH: {
      const flags = reader.flags(CONDITION_MASK | HAS_TTL)
      return (flags & HAS_TTL) === 0 ? reader.fail('a touch without a ttl') : flags
    }
    case OP_DEL:
    case OP_PERSIST:
      return reader.flags(CONDITION_MASK)
    case OP_INCR:
      return reader.flags(0)
    default:
      return reader.fail('an unknown op')
  }
}

function readKeyLength(reader: ByteReader): number {
  const length = reader.u16()
  if (length === 0 || length > limits.keyBytes) reader.fail('a key length out of range')
  return length
}

function readValueLength(reader: ByteReader, op: number): number {
  const length = reader.u32()
  if (op !== OP_SET && length !== 0) reader.fail('a value where the op has none')
  return length
}

function readTtl(reader: ByteReader): number {
  const ttl = reader.positive()
  return ttl > limits.ttlMs ? reader.fail('a ttl above its limit') : ttl
}

function readSequence(reader: ByteReader, firstSequence: number): number {
  const sequence = firstSequence + reader.u32()
  if (!Number.isSafeInteger(sequence)) reader.fail('a sequence that is no safe integer')
  return sequence
}

function readCondition(reader: ByteReader, flags: number): Condition {
  switch (flags & CONDITION_MASK) {
    case IF_VERSION:
      return { type: 'ifVersion', version: reader.natural() }
    case IF_ABSENT:
      return { type: 'ifAbsent' }
    case IF_PRESENT:
      return { type: 'ifPresent' }
    default:
      return { type: 'always' }
  }
}

function hasTtl(command: Command): command is Extract<Command, { op: 'set' | 'touch' }> {
  return command.op === 'touch' || (command.op === 'set' && command.ttl !== 0)
}

const ops = { set: OP_SET, del: OP_DEL, incr: OP_INCR, touch: OP_TOUCH, persist: OP_PERSIST } as const

function opOf(command: Command): number {
  return ops[command.op]
}

function flagsOf(command: Command): number {
  if (command.op === 'incr') return 0
  const pins = command.op === 'set' && command.evict === false ? PINS : 0
  const options = pins | (hasTtl(command) ? HAS_TTL : 0)
  switch (command.condition.type) {
    case 'always':
      return options
    case 'ifVersion':
      return options | IF_VERSION
    case 'ifAbsent':
      return options | IF_ABSENT
    case 'ifPresent':
      return options | IF_PRESENT
    default:
      return unreachable(command.condition)
  }
}
