// One command in its section: `op u8 | flags u8 | keyLen u16 | valueLen u32 | sequence u32 | notAfter f64 | [ifVersion f64] | [deadline f64] | [by f64] | key | value`.
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

const CONDITION_MASK = 0b011
const IF_VERSION = 1
const IF_ABSENT = 2
const IF_PRESENT = 3
const HAS_DEADLINE = 0b100

/** Up to and with `notAfter`. */
const FIXED_BYTES = 20
const FLOAT_BYTES = 8

/** Length of a command on the wire. */
export function commandBytes(command: Command): number {
  let length = FIXED_BYTES + command.key.length
  if (command.op === 'incr') return length + FLOAT_BYTES
  if (command.condition.type === 'ifVersion') length += FLOAT_BYTES
  if (command.op === 'del') return length
  if (command.deadline !== 0) length += FLOAT_BYTES
  return length + valueLength(command.value)
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
  if (command.op === 'set' && command.deadline !== 0) writer.positive(command.deadline, 'deadline')
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
  if (op === OP_DEL) return { op: 'del', sequence, notAfter, key: reader.view(keyBytes), condition }
  const deadline = (flags & HAS_DEADLINE) === 0 ? 0 : reader.positive()
  const key = reader.view(keyBytes)
  return {
    op: 'set',
    sequence,
    notAfter,
    key,
    value: readValue(reader, valueBytes, 'view'),
    condition,
    deadline,
  }
}

/** Checks a command as `readCommand` does, makes nothing, and returns its op. */
export function skipCommand(reader: ByteReader, firstSequence: number): number {
  const op = reader.u8()
  const flags = readFlags(reader, op)
  const keyBytes = readKeyLength(reader)
  const valueBytes = readValueLength(reader, op)
  readSequence(reader, firstSequence)
  reader.natural()
  if (op === OP_INCR) reader.integer()
  else if ((flags & CONDITION_MASK) === IF_VERSION) reader.natural()
  if ((flags & HAS_DEADLINE) !== 0) reader.positive()
  reader.skip(keyBytes)
  if (op === OP_SET) skipValue(reader, valueBytes)
  return op
}

function readFlags(reader: ByteReader, op: number): number {
  switch (op) {
    case OP_SET:
      return reader.flags(CONDITION_MASK | HAS_DEADLINE)
    case OP_DEL:
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

function opOf(command: Command): number {
  if (command.op === 'set') return OP_SET
  return command.op === 'del' ? OP_DEL : OP_INCR
}

function flagsOf(command: Command): number {
  if (command.op === 'incr') return 0
  const deadline = command.op === 'set' && command.deadline !== 0 ? HAS_DEADLINE : 0
  switch (command.condition.type) {
    case 'always':
      return deadline
    case 'ifVersion':
      return deadline | IF_VERSION
    case 'ifAbsent':
      return deadline | IF_ABSENT
    case 'ifPresent':
      return deadline | IF_PRESENT
    default:
      return unreachable(command.condition)
  }
}
