/**
 * Files as the log needs them. Writes go to the page cache synchronously; only `datasync` (and `syncDirectory` for
 * names) makes anything durable. A failed write or sync is never retried by a caller: the node halts (storage rule 11).
 * Every method throws (or rejects with) `DiskError`.
 */
export interface Disk {
  /** Creates a file that must not exist, open for reading and writing. Its name is durable after `syncDirectory`. */
  create(path: string): DiskFile
  /** Opens an existing file for reading and writing. */
  open(path: string): DiskFile
  exists(path: string): boolean
  /** Names (not paths) in a directory, sorted; a missing directory throws `ENOENT`. */
  list(directory: string): string[]
  /** Makes a directory and its parents; no error if it exists. */
  makeDirectory(directory: string): void
  /** Atomically replaces `to`. Durable after `syncDirectory` of the parent. */
  rename(from: string, to: string): void
  unlink(path: string): void
  syncDirectory(directory: string): Promise<void>
  /** Bytes that an unprivileged process may still write on the file system of `directory`. */
  freeBytes(directory: string): number
  /** Takes an exclusive lock for the life of this process, or throws `DiskError` with code `LOCKED`. */
  lock(path: string): DiskLock
}

export interface DiskLock {
  release(): void
}

export interface DiskFile {
  size(): number
  /** Writes every byte of `buffers` at `position`, looping over short writes. The data is in the page cache afterwards. */
  write(buffers: readonly Uint8Array[], position: number): void
  /** Fills and returns exactly `length` bytes, fewer only at the end of the file. */
  read(position: number, length: number): Uint8Array
  /** `fdatasync`: when it resolves, everything written to this file before the call is on the platter. */
  datasync(): Promise<void>
  close(): void
}

/** An operation of the disk failed. `code` is the system's (`ENOSPC`, `EIO`, `ENOENT`, ...) or `LOCKED`. */
export class DiskError extends Error {
  override readonly name = 'DiskError'
  readonly code: string
  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}
