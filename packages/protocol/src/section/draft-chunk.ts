// Commands and keys of reads that are encoded before anybody knows when, where and under which name they will travel.
import { ByteReader } from '../bytes/byte-reader.ts'
import { ByteWriter } from '../bytes/byte-writer.ts'
import type { Command } from '../command.ts'
import { commandBytes, readCommand, writeCommand } from './command-layout.ts'

/** Where one draft is: `[offset, offset + length)` of its chunk. */
export interface Draft {
  readonly chunk: DraftChunk
  readonly offset: number
  readonly length: number
}

/** In a command's layout: its distance from the section's first sequence (u32), and `notAfter` (f64). */
export const SEQUENCE_OFFSET = 8
export const NOT_AFTER_OFFSET = 12
/** In front of a key in a read. */
const KEY_LENGTH_BYTES = 2

/**
 * Memory for drafts, one behind the other. A sender copies them from here into each frame in which they travel, neighbours
 * at once, and fills in what differs from attempt to attempt. No object is kept per command.
 */
export class DraftChunk {
  readonly capacity: number
  readonly writer: ByteWriter
  /** Drafts that somebody still needs; the owner's count. At 0 it may be cleared. */
  live = 0

  constructor(capacity: number) {
    this.capacity = capacity
    this.writer = new ByteWriter(capacity, 'own')
  }

  get length(): number {
    return this.writer.length
  }

  fits(bytes: number): boolean {
    return this.writer.length + bytes <= this.capacity
  }

  /** Appends a command; its sequence and `notAfter` are filled in when it travels. Beyond its limits it asserts. */
  command(command: Command): void {
    writeCommand(this.writer, command, command.sequence)
  }

  /** Appends what a read says of its key. */
  key(key: Uint8Array): void {
    this.writer.u16(key.length, 'key length')
    this.writer.raw(key)
  }

  /** Appends a copy of another chunk's draft. */
  copy({ chunk, offset, length }: Draft): void {
    this.writer.copy(chunk.writer, offset, offset + length)
  }

  clear(): void {
    this.writer.rewind()
  }
}

/** Length of a command's draft. */
export function commandDraftBytes(command: Command): number {
  return commandBytes(command)
}

/** Length of the draft of a read's key. */
export function keyDraftBytes(key: Uint8Array): number {
  return KEY_LENGTH_BYTES + key.length
}

/** The key of a draft, as a copy. */
export function keyOfDraft({ chunk, offset, length }: Draft, kind: 'write' | 'read'): Uint8Array {
  const bytes = chunk.writer.written(offset, offset + length)
  return kind === 'read' ? bytes.slice(KEY_LENGTH_BYTES) : readCommand(new ByteReader(bytes), 0).key.slice()
}
