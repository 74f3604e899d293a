// The port between the store's rules (state-rows.ts and above) and what keeps the bytes: LevelDB or its memory twin.

export type RawRow = readonly [key: Uint8Array, value: Uint8Array]

/** An ordered map of bytes with atomic, synced batches. Nothing it returns is trusted. */
export interface RowEngine {
  /** Values in the order of the keys. Rejects with `UnreadableRowError` or, if the store cannot go on, any other error. */
  getMany(keys: readonly Uint8Array[]): Promise<(Uint8Array | undefined)[]>
  newBatch(): RowBatch
  /** Opens a view of the rows from `from` (inclusive) to `to` (exclusive), frozen at this call. */
  openView(from: Uint8Array, to: Uint8Array): RowView
  /** Checks the files behind the rows by the engine's own checksums, one file at a time: what is bad, or null. */
  verifyFiles(): Promise<string | null>
  /** Lets the event loop turn once. */
  endOfTurn(): Promise<void>
  close(): Promise<void>
}

export interface RowBatch {
  put(key: Uint8Array, value: Uint8Array): void
  del(key: Uint8Array): void
  /** All or nothing, and durable (names of new files included) when it resolves. Any failure is final for the store. */
  write(): Promise<void>
  /** Gives the batch up unwritten. */
  discard(): Promise<void>
}

export interface RowView {
  /** The next rows, at most `rowsMax`; empty at the end. Rejects like `getMany`. */
  next(rowsMax: number): Promise<readonly RawRow[]>
  /** Goes on at the first key at or above `key`. */
  seek(key: Uint8Array): void
  close(): Promise<void>
}

/** The engine itself found that what it read is not what it wrote. */
export class UnreadableRowError extends Error {
  override readonly name = 'UnreadableRowError'
}
