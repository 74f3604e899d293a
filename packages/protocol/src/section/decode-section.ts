// Reads sections out of a payload, and checks them without making anything.
import { BadFrameError } from '../bad-frame-error.ts'
import { ByteReader } from '../bytes/byte-reader.ts'
import type { Command, Section, SessionId, Victim } from '../command.ts'
import { limits } from '../limits.ts'
import { readCommand, type SeenCommands, skipCommand } from './command-layout.ts'
import {
  SECTION_HEADER_BYTES,
  SECTION_VERSION,
  type SectionHeader,
  sectionKinds,
  SLOT_BITS_BYTES,
} from './section-kind.ts'
import { unreachable } from '../unreachable.ts'

const leadersOnly: ReadonlySet<Section['kind']> = new Set(['found', 'tick', 'sweep', 'evict'])

/**
 * The section that begins at `offset` (default 0) of `payload`, and where it ends. Keys, values and slots in it are
 * *views* of `payload`: copy them before keeping them longer.
 * @throws BadFrameError
 */
export function decodeSection(
  payload: Uint8Array,
  offset = 0,
): { readonly section: Section; readonly end: number } {
  const reader = new ByteReader(payload, offset)
  const section = readSection(reader)
  return { section, end: reader.offset }
}

/**
 * Every section of a log entry's payload, in order; none for an empty one. Views, as in `decodeSection`.
 * @throws BadFrameError
 */
export function decodeSections(payload: Uint8Array): Section[] {
  const reader = new ByteReader(payload)
  const sections: Section[] = []
  while (reader.remaining > 0) sections.push(readSection(reader))
  return sections
}

/**
 * Walks through one whole section, which `bytes` must be exactly, and checks every number and length in it, so that
 * apply meets only what it can execute. With origin `client` a `found`, `tick`, `sweep` or `evict` section is refused: only
 * the shard's own leader makes those.
 * @throws BadFrameError
 */
export function validateSection(
  bytes: Uint8Array,
  options: { readonly origin: 'client' | 'log' },
): SectionHeader {
  const reader = new ByteReader(bytes)
  const header = skipSection(reader)
  reader.end()
  if (options.origin === 'client' && leadersOnly.has(header.kind)) {
    throw new BadFrameError(`a client must not send a ${header.kind} section`)
  }
  return header
}

/**
 * Checks a log entry's payload, as `validateSection` does for each of its sections, and returns their headers.
 * @throws BadFrameError
 */
export function validateSections(payload: Uint8Array): SectionHeader[] {
  const reader = new ByteReader(payload)
  const headers: SectionHeader[] = []
  while (reader.remaining > 0) headers.push(skipSection(reader))
  return headers
}

function readSection(reader: ByteReader): Section {
  const start = readStart(reader)
  const section = readBody(reader, start)
  if (reader.offset !== start.end) reader.fail('a section that is not as long as it says')
  return section
}

function readBody(reader: ByteReader, start: SectionStart): Section {
  const { kind, group, count } = start
  switch (kind) {
    case 'commands': {
      const session = readSession(reader)
      const ackedUpTo = reader.natural()
      const firstSequence = reader.natural()
      const commands: Command[] = []
      for (let done = 0; done < count; done += 1) commands.push(readCommand(reader, firstSequence))
      return { kind, group, session, ackedUpTo, commands }
    }
    case 'openSession':
      return { kind, group, notAfter: reader.natural() }
    case 'closeSession':
      return { kind, group, session: readSession(reader) }
    case 'found':
      return { kind, group, epoch: reader.natural(), slots: reader.view(SLOT_BITS_BYTES) }
    case 'tick':
      return { kind, group }
    case 'sweep':
      return { kind, group, limit: readSweepLimit(reader) }
    case 'evict':
      return { kind, group, victims: readVictims(reader) }
    default:
      return unreachable(kind)
  }
}

function skipSection(reader: ByteReader): SectionHeader {
  const { kind, group, count, bytes, end } = readStart(reader)
  let session: SessionId | null = null
  const seen: SeenCommands = { deletesOnly: false, pins: false, notAfterMax: 0 }
  if (kind === 'commands' || kind === 'closeSession') session = readSession(reader)
  if (kind === 'commands') skipCommands(reader, count, seen)
  else if (kind === 'openSession') seen.notAfterMax = reader.natural()
  else if (kind === 'found') {
    reader.natural()
    reader.skip(SLOT_BITS_BYTES)
  } else if (kind === 'sweep') readSweepLimit(reader)
  else if (kind === 'evict') readVictims(reader)
  if (reader.offset !== end) reader.fail('a section that is not as long as it says')
  return { kind, group, count, bytes, session, ...seen }
}

function skipCommands(reader: ByteReader, count: number, seen: SeenCommands): void {
  reader.natural()
  const firstSequence = reader.natural()
  seen.deletesOnly = true
  for (let done = 0; done < count; done += 1) skipCommand(reader, firstSequence, seen)
}

interface SectionStart {
  readonly kind: Section['kind']
  readonly group: number
  readonly count: number
  readonly bytes: number
  /** Offset at which it must end. */
  readonly end: number
}

function readStart(reader: ByteReader): SectionStart {
  const start = reader.offset
  const kind = readKind(reader)
  if (reader.u8() !== SECTION_VERSION) reader.fail('an unknown section version')
  const group = reader.u32()
  const bytes = reader.u32()
  if (bytes < SECTION_HEADER_BYTES || bytes > limits.sectionBytes)
    reader.fail('a section length out of range')
  const count = reader.u16()
  const countMax = kind === 'commands' ? limits.sectionCommands : 1
  if (count === 0 || count > countMax) reader.fail('a section count out of range')
  return { kind, group, count, bytes, end: start + bytes }
}

function readKind(reader: ByteReader): Section['kind'] {
  switch (reader.u8()) {
    case sectionKinds.commands:
      return 'commands'
    case sectionKinds.openSession:
      return 'openSession'
    case sectionKinds.closeSession:
      return 'closeSession'
    case sectionKinds.found:
      return 'found'
    case sectionKinds.tick:
      return 'tick'
    case sectionKinds.sweep:
      return 'sweep'
    case sectionKinds.evict:
      return 'evict'
    default:
      return reader.fail('an unknown section kind')
  }
}

function readSweepLimit(reader: ByteReader): number {
  const limit = reader.u32()
  if (limit === 0 || limit > limits.sweepEntries) reader.fail('a sweep limit out of range')
  return limit
}

/** Keys are views. */
function readVictims(reader: ByteReader): Victim[] {
  const count = reader.u32()
  if (count === 0 || count > limits.evictEntries) reader.fail('a number of victims out of range')
  const victims: Victim[] = []
  for (let left = count; left > 0; left -= 1) {
    const version = reader.positive()
    const length = reader.u16()
    if (length === 0 || length > limits.keyBytes) reader.fail('a key length out of range')
    victims.push({ key: reader.view(length), version })
  }
  return victims
}

function readSession(reader: ByteReader): SessionId {
  const group = reader.u32()
  return { group, version: reader.natural() }
}
