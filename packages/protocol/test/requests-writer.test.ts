// The hot path of a client writes the same bytes as the codec, out of drafts.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  type ClientRequest,
  type Command,
  type Draft,
  DraftChunk,
  RequestsWriter,
  commandDraftBytes,
  encodeClientFrame,
  encodeSection,
  keyDraftBytes,
  keyOfDraft,
  limits,
  type RelaxedRead,
} from '../src/index.ts'
import { clientSection, group, key, natural } from './arbitraries.ts'

const CHUNKS = 3

interface Holder {
  readonly draft: Draft
  readonly sequence: number
  readonly notAfter: number
}

/** One request, its commands or keys drafted in one of several chunks each, in an order of their own. */
const request = fc.oneof(
  fc.record({
    type: fc.constant('write' as const),
    section: clientSection,
    how: fc.constant(null),
    places: fc.infiniteStream(fc.nat(CHUNKS - 1)),
  }),
  fc.record({
    type: fc.constant('read' as const),
    section: fc.record({ group, keys: fc.array(key, { minLength: 1, maxLength: 6 }) }),
    how: fc.constantFrom<(RelaxedRead | null)[]>(
      null,
      { consistency: 'lease' },
      { consistency: 'stale', maxAge: null },
      { consistency: 'stale', maxAge: 250 },
    ),
    places: fc.infiniteStream(fc.nat(CHUNKS - 1)),
  }),
)

describe('a frame of drafts', () => {
  test('has the bytes that the codec makes of the same requests', () => {
    const property = fc.property(
      natural,
      fc.array(request, { maxLength: 4 }),
      fc.boolean(),
      (mapEpoch, list, small) => {
        const chunks = Array.from({ length: CHUNKS }, () => new DraftChunk(small ? 1 : 4096))
        // Others' drafts lie in front.
        chunks[1]?.key(Uint8Array.of(1, 2, 3))
        const chunkAt = (places: Iterator<number>): DraftChunk =>
          chunks[Number(places.next().value)] ?? new DraftChunk(1)
        const writer = new RequestsWriter(mapEpoch, list.length, 0)
        const plain = list.map(({ type, section, how, places }, index): ClientRequest => {
          const requestId = index + 1
          if (type === 'read') {
            const holders = section.keys.map((one) => ({ draft: keyDraft(chunkAt(places), one) }))
            writer.keys(requestId, section.group, holders, how)
            return { type, requestId, section, ...(how === null ? {} : { how }) }
          }
          if (section.kind !== 'commands') writer.section(requestId, section.group, encodeSection(section))
          else {
            const holders = section.commands.map((command) => commandHolder(chunkAt(places), command))
            const draftBytes = holders.reduce((sum, { draft }) => sum + draft.length, 0)
            writer.commands({ requestId, ...section, draftBytes }, holders, ({ notAfter }) => notAfter)
          }
          return { type, requestId, group: section.group, section: encodeSection(section) }
        })
        expect(writer.finish()).toEqual(encodeClientFrame({ type: 'requests', mapEpoch, requests: plain }))
      },
    )
    fc.assert(property, { numRuns: 500 })
  })

  test('may hold a draft many times, each time under its own name', () => {
    const holder = commandHolder(new DraftChunk(4096), set(7))
    const again = { ...holder, sequence: 9, notAfter: 11 }
    const writer = new RequestsWriter(1, 1, 0)
    const header = { group: 1, session: { group: 1, version: 2 }, ackedUpTo: 0 }
    writer.commands(
      { requestId: 1, ...header, draftBytes: 2 * holder.draft.length },
      [again, holder],
      ({ notAfter }) => notAfter,
    )
    const commands = [{ ...set(9), notAfter: 11 }, set(7)]
    const section = encodeSection({ kind: 'commands', ...header, commands })
    const requests = [{ type: 'write', requestId: 1, group: 1, section }] as const
    expect(writer.finish()).toEqual(encodeClientFrame({ type: 'requests', mapEpoch: 1, requests }))
  })

  test('is refused with nothing in a section, too much, or bytes that nobody wrote', () => {
    const writer = (): RequestsWriter => new RequestsWriter(1, 1, 0)
    const header = { requestId: 1, group: 1, session: { group: 1, version: 2 }, ackedUpTo: 0, draftBytes: 0 }
    expect(() => writer().keys(1, 1, [], null)).toThrow('a section of 0')
    expect(() => writer().commands(header, [], () => 0)).toThrow('a section of 0')
    const holder = commandHolder(new DraftChunk(4096), set(1))
    const many = Array.from({ length: limits.sectionCommands + 1 }, () => holder)
    expect(() => writer().keys(1, 1, many, null)).toThrow('a section of 1001')
    expect(() =>
      writer().commands({ ...header, draftBytes: limits.sectionBytes }, [holder], () => 0),
    ).toThrow('a section of')
    // What the header says and what is written must be the same.
    const wrong = { ...header, draftBytes: holder.draft.length - 1 }
    expect(() => writer().commands(wrong, [holder], () => 0)).toThrow('as long as its header says')
    holder.draft.chunk.clear()
    expect(() => writer().keys(1, 1, [holder], null)).toThrow('nobody wrote')
  })
})

test('a draft is as long as it says, and its key comes back as a copy', () => {
  const property = fc.property(clientSection, key, (section, readKey) => {
    const chunk = new DraftChunk(4096)
    const drafts =
      section.kind === 'commands' ? section.commands.map((command) => commandHolder(chunk, command)) : []
    const read = keyDraft(chunk, readKey)
    const keys = drafts.map(({ draft }) => keyOfDraft(draft, 'write'))
    const last = keyOfDraft(read, 'read')
    expect(chunk.length).toBe(read.offset + read.length)
    chunk.clear()
    chunk.key(new Uint8Array(limits.keyBytes))
    expect(keys).toEqual(
      section.kind === 'commands' ? section.commands.map((command) => new Uint8Array(command.key)) : [],
    )
    expect(last).toEqual(new Uint8Array(readKey))
  })
  fc.assert(property)
})

function commandHolder(chunk: DraftChunk, command: Command): Holder {
  const offset = chunk.length
  chunk.command(command)
  const draft = { chunk, offset, length: commandDraftBytes(command) }
  return { draft, sequence: command.sequence, notAfter: command.notAfter }
}

function keyDraft(chunk: DraftChunk, bytes: Uint8Array): Draft {
  const offset = chunk.length
  chunk.key(bytes)
  return { chunk, offset, length: keyDraftBytes(bytes) }
}

function set(sequence: number): Command {
  const value = { type: 'integer', integer: 5 } as const
  return {
    op: 'set',
    sequence,
    notAfter: 7,
    key: Uint8Array.of(1),
    value,
    condition: { type: 'always' },
    ttl: 0,
  }
}
