// Makes the bytes of a section: what a client sends and what a log entry holds.
import assert from 'node:assert/strict'
import { ByteWriter } from '../bytes/byte-writer.ts'
import type { CommandSection, EvictSection, Section } from '../command.ts'
import { limits } from '../limits.ts'
import { commandBytes, writeCommand } from './command-layout.ts'
import {
  COMMANDS_HEADER_BYTES,
  SECTION_HEADER_BYTES,
  SECTION_VERSION,
  SESSION_BYTES,
  sectionKinds,
  SLOT_BITS_BYTES,
  VICTIM_BYTES,
} from './section-kind.ts'
import { unreachable } from '../unreachable.ts'

/** Length of `encodeSection(section)`, for those who cut batches to `limits.sectionBytes`. */
export function sectionBytes(section: Section): number {
  switch (section.kind) {
    case 'commands':
      return section.commands.reduce(
        (length, command) => length + commandBytes(command),
        SECTION_HEADER_BYTES + COMMANDS_HEADER_BYTES,
      )
    case 'openSession':
      return SECTION_HEADER_BYTES + 8
    case 'closeSession':
      return SECTION_HEADER_BYTES + SESSION_BYTES
    case 'found':
      return SECTION_HEADER_BYTES + 8 + SLOT_BITS_BYTES
    case 'tick':
      return SECTION_HEADER_BYTES
    case 'sweep':
      return SECTION_HEADER_BYTES + 4
    case 'evict':
      return section.victims.reduce(
        (length, { key }) => length + VICTIM_BYTES + key.length,
        SECTION_HEADER_BYTES + 4,
      )
    default:
      return unreachable(section)
  }
}

/** Encodes a section, in bytes of its own. Beyond its limits it asserts: who makes sections cuts them before. */
export function encodeSection(section: Section): Uint8Array {
  const length = sectionBytes(section)
  if (length > limits.sectionBytes) assert.fail(`a section of ${length} bytes`)
  const writer = new ByteWriter(length)
  writer.u8(sectionKinds[section.kind], 'section kind')
  writer.u8(SECTION_VERSION, 'section version')
  writer.u32(section.group, 'group')
  writer.u32(length, 'section length')
  writer.u16(section.kind === 'commands' ? section.commands.length : 1, 'section count')
  writeBody(writer, section)
  assert.equal(writer.length, length, 'a section is as long as its header says')
  return writer.finish()
}

function writeBody(writer: ByteWriter, section: Section): void {
  switch (section.kind) {
    case 'commands':
      writeCommands(writer, section)
      return
    case 'openSession':
      writer.natural(section.notAfter, 'notAfter')
      return
    case 'closeSession':
      writer.u32(section.session.group, 'session group')
      writer.natural(section.session.version, 'session version')
      return
    case 'found':
      assert.equal(section.slots.length, SLOT_BITS_BYTES, 'one bit for each slot')
      writer.natural(section.epoch, 'epoch')
      writer.raw(section.slots)
      return
    case 'tick':
      return
    case 'sweep':
      assert.ok(section.limit >= 1 && section.limit <= limits.sweepEntries, `a sweep of ${section.limit}`)
      writer.u32(section.limit, 'sweep limit')
      return
    case 'evict':
      writeVictims(writer, section)
  }
}

function writeVictims(writer: ByteWriter, { victims }: EvictSection): void {
  if (victims.length === 0 || victims.length > limits.evictEntries)
    assert.fail(`an eviction of ${victims.length}`)
  writer.u32(victims.length, 'victims')
  for (const { key, version } of victims) {
    if (key.length === 0 || key.length > limits.keyBytes) assert.fail(`a key of ${key.length} bytes`)
    writer.positive(version, 'version')
    writer.u16(key.length, 'key length')
    writer.raw(key)
  }
}

function writeCommands(writer: ByteWriter, section: CommandSection): void {
  const { commands } = section
  if (commands.length === 0 || commands.length > limits.sectionCommands) {
    assert.fail(`a section of ${commands.length} commands`)
  }
  const firstSequence = commands.reduce(
    (first, command) => Math.min(first, command.sequence),
    Number.MAX_SAFE_INTEGER,
  )
  writer.u32(section.session.group, 'session group')
  writer.natural(section.session.version, 'session version')
  writer.natural(section.ackedUpTo, 'ackedUpTo')
  writer.natural(firstSequence, 'sequence')
  for (const command of commands) writeCommand(writer, command, firstSequence)
}
