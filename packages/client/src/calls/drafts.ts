// Where operations under way keep what they will say: their bytes, not their objects.
import { type Draft, DraftChunk, type GroupId, commandDraftBytes, keyDraftBytes } from '@quorate/protocol'
import { DRAFT_CHUNK_BYTES_MAX, DRAFT_CHUNK_BYTES_MIN } from '../limits.ts'
import type { ReadBody, WriteBody } from './call.ts'

/** Of a call that has nothing to say, or nothing any more: whoever copies from it asserts. */
export const NO_DRAFT: Draft = { chunk: new DraftChunk(0), offset: 0, length: 0 }

/** What a call has of its draft. */
export interface DraftOwner {
  chunk: DraftChunk
  offset: number
  length: number
}

/**
 * Drafts of operations that travel together lie together, by group, in the order in which they began: a section is one copy.
 * A chunk is used again from its beginning as soon as nothing in it is needed, which is after nearly every turn.
 */
export class Drafts {
  readonly #chunks = new Map<GroupId, DraftChunk>()

  /** Copies key and value: the caller may change its arrays afterwards. `group` decides nothing but the neighbours. */
  write(owner: DraftOwner, group: GroupId, body: WriteBody | ReadBody): void {
    const length = body.kind === 'read' ? keyDraftBytes(body.key) : commandDraftBytes(body)
    const chunk = this.#chunkFor(group, length)
    const offset = chunk.length
    if (body.kind === 'read') chunk.key(body.key)
    else chunk.command(body)
    chunk.live += 1
    owner.chunk = chunk
    owner.offset = offset
    owner.length = length
  }

  /** Nothing travels for the owner any more. */
  release(owner: DraftOwner): void {
    owner.chunk.live -= 1
    owner.chunk = NO_DRAFT.chunk
    owner.offset = NO_DRAFT.offset
    owner.length = NO_DRAFT.length
  }

  /** Gives an owner that has to wait a chunk of its own: otherwise one stuck operation would keep a whole one. */
  isolate(owner: DraftOwner): void {
    const { chunk, length } = owner
    if (length === 0 || chunk.capacity === length) return
    const alone = new DraftChunk(length)
    alone.copy(owner)
    alone.live = 1
    chunk.live -= 1
    owner.chunk = alone
    owner.offset = 0
  }

  #chunkFor(group: GroupId, bytes: number): DraftChunk {
    const known = this.#chunks.get(group)
    if (known?.live === 0) known.clear()
    if (known?.fits(bytes) === true) return known
    if (bytes > DRAFT_CHUNK_BYTES_MAX) return new DraftChunk(bytes)
    const capacity = Math.min(
      Math.max((known?.capacity ?? 0) * 2, DRAFT_CHUNK_BYTES_MIN, bytes),
      DRAFT_CHUNK_BYTES_MAX,
    )
    const chunk = new DraftChunk(capacity)
    this.#chunks.set(group, chunk)
    return chunk
  }
}
