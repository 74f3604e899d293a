// What a section says of itself before its body.
import type { Section, SessionId } from '../command.ts'
import type { GroupId } from '../identity.ts'

/** `kind u8 | version u8 | group u32 | byteLength u32 | count u16`. */
export const SECTION_HEADER_BYTES = 12
/** `session group u32 | session version f64 | ackedUpTo f64 | firstSequence f64`. */
export const COMMANDS_HEADER_BYTES = 28
/** `session group u32 | session version f64`. */
export const SESSION_BYTES = 12
/** One bit for each slot. */
export const SLOT_BITS_BYTES = 2048
/** `version f64 | keyLength u16` of a victim, before its key. */
export const VICTIM_BYTES = 10
export const SECTION_VERSION = 1

/** Stable numbers of the kinds. */
export const sectionKinds = {
  commands: 1,
  openSession: 2,
  closeSession: 3,
  found: 4,
  tick: 5,
  sweep: 6,
  evict: 7,
} as const

/** What the leader needs to know of a section whose body it only checks and copies. */
export interface SectionHeader {
  readonly kind: Section['kind']
  readonly group: GroupId
  /** Answers that apply will give: one for each command; 1 for every other kind. */
  readonly count: number
  /** Length of the whole section. */
  readonly bytes: number
  /** The session used or closed; null for the other kinds. */
  readonly session: SessionId | null
  /** Every command is a `del`: admitted even where space is short. */
  readonly deletesOnly: boolean
  /** One of its commands is a `set` with `evict: false`. */
  readonly pins: boolean
  /** The latest `notAfter` in it; 0 where there is none. */
  readonly notAfterMax: number
}
