// Writes a `requests` frame out of drafts: the hot path of a client. The same bytes as `encodeClientFrame`.
import assert from 'node:assert/strict'
import { ByteWriter } from '../bytes/byte-writer.ts'
import type { SessionId } from '../command.ts'
import { checkedFrame } from '../frame-length.ts'
import { clientFrameTypes } from '../frame-types.ts'
import type { GroupId } from '../identity.ts'
import { limits } from '../limits.ts'
import type { RelaxedRead } from '../client-frame.ts'
import { type Draft, NOT_AFTER_OFFSET, SEQUENCE_OFFSET } from '../section/draft-chunk.ts'
import {
  COMMANDS_HEADER_BYTES,
  SECTION_HEADER_BYTES,
  SECTION_VERSION,
  sectionKinds,
} from '../section/section-kind.ts'
import {
  HOW_BYTES_MAX,
  READ,
  READ_BYTES,
  RELAXED_READ,
  REQUESTS_HEADER_BYTES,
  WRITE,
  WRITE_BYTES,
  writeHow,
} from './client-frame-codec.ts'

/** What a request of drafts is longer than the drafts. */
export const COMMANDS_REQUEST_BYTES: number = WRITE_BYTES + SECTION_HEADER_BYTES + COMMANDS_HEADER_BYTES
export const KEYS_REQUEST_BYTES: number = READ_BYTES + HOW_BYTES_MAX
export const SECTION_REQUEST_BYTES: number = WRITE_BYTES

/** Something that a draft travels for. */
export interface DraftHolder {
  readonly draft: Draft
}

export interface NamedDraftHolder extends DraftHolder {
  readonly sequence: number
}

export interface CommandsHeader {
  readonly requestId: number
  readonly group: GroupId
  readonly session: SessionId
  readonly ackedUpTo: number
  /** Of all drafts together. */
  readonly draftBytes: number
}

export class RequestsWriter {
  readonly #writer: ByteWriter

  /** `requests` of them follow; `bytes` is a guess at the length of the frame. */
  constructor(mapEpoch: number, requests: number, bytes: number) {
    this.#writer = new ByteWriter(REQUESTS_HEADER_BYTES + bytes)
    this.#writer.u8(clientFrameTypes.requests, 'frame type')
    this.#writer.natural(mapEpoch, 'mapEpoch')
    this.#writer.u32(requests, 'requests')
  }

  /** A section of commands of one session. */
  commands<Holder extends NamedDraftHolder>(
    header: CommandsHeader,
    holders: readonly Holder[],
    notAfter: (holder: Holder) => number,
  ): void {
    const writer = this.#writer
    const length = SECTION_HEADER_BYTES + COMMANDS_HEADER_BYTES + header.draftBytes
    if (length > limits.sectionBytes) assert.fail(`a section of ${length} bytes`)
    checkCount(holders.length)
    let firstSequence = Number.MAX_SAFE_INTEGER
    for (const { sequence } of holders) if (sequence < firstSequence) firstSequence = sequence
    this.#writeHead(header, length)
    writer.u8(sectionKinds.commands, 'section kind')
    writer.u8(SECTION_VERSION, 'section version')
    writer.u32(header.group, 'group')
    writer.u32(length, 'section length')
    writer.u16(holders.length, 'section count')
    writer.u32(header.session.group, 'session group')
    writer.natural(header.session.version, 'session version')
    writer.natural(header.ackedUpTo, 'ackedUpTo')
    writer.natural(firstSequence, 'sequence')
    let at = writer.length
    const end = at + header.draftBytes
    this.#writeDrafts(holders)
    for (const holder of holders) {
      writer.replaceU32(at + SEQUENCE_OFFSET, holder.sequence - firstSequence, 'sequence')
      writer.replaceNatural(at + NOT_AFTER_OFFSET, notAfter(holder), 'notAfter')
      at += holder.draft.length
    }
    assert.ok(at === end && writer.length === end, 'a section is as long as its header says')
  }

  /** A section of any other kind, encoded. */
  section(requestId: number, group: GroupId, section: Uint8Array): void {
    this.#writeHead({ requestId, group }, section.length)
    this.#writer.raw(section)
  }

  /** A read of the keys drafted; `how` null: linearizable. */
  keys(requestId: number, group: GroupId, holders: readonly DraftHolder[], how: RelaxedRead | null): void {
    checkCount(holders.length)
    this.#writer.u8(how === null ? READ : RELAXED_READ, 'request type')
    this.#writer.natural(requestId, 'requestId')
    if (how !== null) writeHow(this.#writer, how)
    this.#writer.u32(group, 'group')
    this.#writer.u16(holders.length, 'keys')
    this.#writeDrafts(holders)
  }

  /** The frame. Nothing may be written behind it; above `limits.frameBytes` it asserts. */
  finish(): Uint8Array {
    return checkedFrame(this.#writer.finish())
  }

  #writeHead(
    { requestId, group }: { readonly requestId: number; readonly group: GroupId },
    length: number,
  ): void {
    this.#writer.u8(WRITE, 'request type')
    this.#writer.natural(requestId, 'requestId')
    this.#writer.u32(group, 'group')
    this.#writer.u32(length, 'section length')
  }

  /** Neighbours in one chunk are copied at once: mostly that is all of them. */
  #writeDrafts(holders: readonly DraftHolder[]): void {
    let chunk: Draft['chunk'] | null = null
    let start = 0
    let end = 0
    for (const { draft } of holders) {
      if (draft.chunk === chunk && draft.offset === end) {
        end += draft.length
        continue
      }
      if (chunk !== null) this.#writer.copy(chunk.writer, start, end)
      ;({ chunk, offset: start } = draft)
      end = start + draft.length
    }
    if (chunk !== null) this.#writer.copy(chunk.writer, start, end)
  }
}

function checkCount(count: number): void {
  if (count === 0 || count > limits.sectionCommands) assert.fail(`a section of ${count}`)
}
