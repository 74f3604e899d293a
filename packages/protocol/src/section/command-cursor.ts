/**
 * Walks through the commands of a section where they lie and makes nothing for any of them: what it stands on is in its
 * fields. It refuses whatever `decodeSection` refuses. Of a rare command it gives the whole (`command`).
 */
import { BadFrameError } from '../bad-frame-error.ts'
import { ByteReader } from '../bytes/byte-reader.ts'
import { isInteger, isNatural } from '../bytes/numbers.ts'
import type { Command, Condition, SessionId } from '../command.ts'
import type { GroupId } from '../identity.ts'
import { limits } from '../limits.ts'
import { INTEGER_LENGTH, TAG_INTEGER, VALUE_LENGTH_MAX } from '../value.ts'
import {
  CONDITION_MASK,
  FIXED_BYTES,
  FLOAT_BYTES,
  HAS_TTL,
  IF_ABSENT,
  IF_PRESENT,
  IF_VERSION,
  OP_DEL,
  OP_INCR,
  OP_PERSIST,
  OP_SET,
  OP_TOUCH,
  PINS,
  readCommand,
} from './command-layout.ts'
import { COMMANDS_HEADER_BYTES, SECTION_HEADER_BYTES, SECTION_VERSION, sectionKinds } from './section-kind.ts'

/** What `CommandCursor.condition` is. */
export const commandCondition: Readonly<Record<Condition['type'], number>> = {
  always: 0,
  ifVersion: IF_VERSION,
  ifAbsent: IF_ABSENT,
  ifPresent: IF_PRESENT,
}

/** Whether the section at `offset` of `payload` is one of commands, if it is one at all. */
export function startsCommands(payload: Uint8Array, offset: number): boolean {
  return payload[offset] === sectionKinds.commands
}

const noBytes = new Uint8Array(0)
const noView = new DataView(noBytes.buffer)

export class CommandCursor {
  bytes: Uint8Array = noBytes
  view: DataView = noView
  #next = 0
  #left = 0
  #end = 0
  #firstSequence = 0
  #at = 0

  // The section.
  group: GroupId = 0
  session: SessionId = { group: 0, version: 0 }
  ackedUpTo = 0
  count = 0

  // The command.
  sequence = 0
  notAfter = 0
  keyAt = 0
  keyLength = 0
  isSet = false
  /** Of `commandCondition`; 0 for ops without one. */
  condition = 0
  /** Of the condition; 0 where it has none. */
  ifVersion = 0
  /** 0 = none. */
  ttl = 0
  /** Of a set: the entry is never evicted. */
  pins = false
  /** The tagged value of a set, which may be kept as it is; nothing else has one. */
  valueAt = 0
  valueLength = 0

  /** Of another payload from now on; without one, of nothing: it keeps none alive. */
  attach(payload: Uint8Array = noBytes): void {
    this.bytes = payload
    this.view =
      payload.length === 0 ? noView : new DataView(payload.buffer, payload.byteOffset, payload.byteLength)
    this.#left = 0
    this.#next = 0
    this.#end = 0
  }

  /**
   * Goes to the section of commands that begins at `offset`, before its first command.
   * @throws BadFrameError
   */
  begin(offset: number): void {
    const { view } = this
    this.#at = offset
    if (offset + SECTION_HEADER_BYTES + COMMANDS_HEADER_BYTES > view.byteLength) this.#fail('cut short')
    if (view.getUint8(offset) !== sectionKinds.commands) this.#fail('no section of commands')
    if (view.getUint8(offset + 1) !== SECTION_VERSION) this.#fail('an unknown section version')
    this.group = view.getUint32(offset + 2, true)
    const length = view.getUint32(offset + 6, true)
    if (length < SECTION_HEADER_BYTES || length > limits.sectionBytes)
      this.#fail('a section length out of range')
    this.count = view.getUint16(offset + 10, true)
    if (this.count === 0 || this.count > limits.sectionCommands) this.#fail('a section count out of range')
    const body = offset + SECTION_HEADER_BYTES
    this.session = { group: view.getUint32(body, true), version: this.#natural(body + 4) }
    this.ackedUpTo = this.#natural(body + 12)
    this.#firstSequence = this.#natural(body + 20)
    this.#left = this.count
    this.#next = body + COMMANDS_HEADER_BYTES
    this.#end = offset + length
    if (this.#end > view.byteLength) this.#fail('cut short')
  }

  /**
   * Goes to the next command; false = there is none, and the section ends where `end` says.
   * @throws BadFrameError
   */
  next(): boolean {
    const { view } = this
    const at = this.#next
    this.#at = at
    if (this.#left === 0) {
      if (at !== this.#end) this.#fail('a section that is not as long as it says')
      return false
    }
    this.#left -= 1
    if (at + FIXED_BYTES > this.#end) this.#fail('cut short')
    const op = view.getUint8(at)
    const flags = view.getUint8(at + 1)
    if (!areFlags(op, flags)) this.#fail('an unknown op or flag')
    this.keyLength = view.getUint16(at + 2, true)
    this.valueLength = view.getUint32(at + 4, true)
    this.sequence = this.#firstSequence + view.getUint32(at + 8, true)
    if (this.keyLength === 0 || this.keyLength > limits.keyBytes) this.#fail('a key length out of range')
    if (!Number.isSafeInteger(this.sequence)) this.#fail('a sequence that is no safe integer')
    this.notAfter = this.#natural(at + 12)
    this.isSet = op === OP_SET
    this.condition = flags & CONDITION_MASK
    this.pins = (flags & PINS) !== 0
    this.keyAt = this.#readOptions(op, flags, at + FIXED_BYTES)
    this.valueAt = this.keyAt + this.keyLength
    this.#next = this.valueAt + this.valueLength
    if (this.#next > this.#end) this.#fail('cut short')
    if (op === OP_SET) this.#checkValue()
    else if (this.valueLength !== 0) this.#fail('a value where the op has none')
    return true
  }

  /** Where the next section begins, behind the last command. */
  get end(): number {
    return this.#end
  }

  /** The whole command; key and value are views of the payload. */
  command(): Command {
    return readCommand(new ByteReader(this.bytes, this.#at), this.#firstSequence)
  }

  /** Where the key begins. */
  #readOptions(op: number, flags: number, at: number): number {
    this.ifVersion = 0
    this.ttl = 0
    if (op !== OP_INCR && flags === 0) return at
    let behind = at
    if (op === OP_INCR) {
      if (!isInteger(this.#float(behind))) this.#fail('not a safe integer')
      behind += FLOAT_BYTES
    } else if (this.condition === IF_VERSION) {
      this.ifVersion = this.#natural(behind)
      behind += FLOAT_BYTES
    }
    if ((flags & HAS_TTL) === 0) return behind
    this.ttl = this.#natural(behind)
    if (this.ttl === 0 || this.ttl > limits.ttlMs) this.#fail('a ttl out of range')
    return behind + FLOAT_BYTES
  }

  #checkValue(): void {
    const { view, valueAt, valueLength } = this
    if (valueLength === 0 || valueLength > VALUE_LENGTH_MAX) this.#fail('a value length out of range')
    const tag = view.getUint8(valueAt)
    if (tag > TAG_INTEGER) this.#fail('an unknown value tag')
    if (tag === TAG_INTEGER && (valueLength !== INTEGER_LENGTH || !isInteger(this.#float(valueAt + 1))))
      this.#fail('an integer value that is none')
  }

  #natural(at: number): number {
    const value = this.#float(at)
    if (!isNatural(value)) this.#fail('not a safe integer from 0')
    return value
  }

  #float(at: number): number {
    if (at + FLOAT_BYTES > this.view.byteLength) this.#fail('cut short')
    return this.view.getFloat64(at, true)
  }

  #fail(what: string): never {
    throw new BadFrameError(`${what} at offset ${this.#at} of ${this.bytes.length}`)
  }
}

function areFlags(op: number, flags: number): boolean {
  switch (op) {
    case OP_SET:
      return (flags & ~(CONDITION_MASK | HAS_TTL | PINS)) === 0
    case OP_TOUCH:
      return (flags & ~(CONDITION_MASK | HAS_TTL)) === 0 && (flags & HAS_TTL) !== 0
    case OP_DEL:
    case OP_PERSIST:
      return (flags & ~CONDITION_MASK) === 0
    case OP_INCR:
      return flags === 0
    default:
      return false
  }
}
