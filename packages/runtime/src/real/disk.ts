// The file system of this machine (`Disk` over node:fs).
import fs from 'node:fs'
import path from 'node:path'
import { type Disk, DiskError, type DiskFile } from '../disk.ts'
import { takeLock } from './lock-file.ts'

/**
 * The real disk. `write` is `writev` into the page cache on this thread, `datasync` is `fdatasync` in libuv's pool
 * (measured faster than all-pooled, all-synchronous and O_DSYNC). Every failure is a `DiskError` with the system's code.
 */
export function createRealDisk(): Disk {
  return {
    create: (file) => realFile(file, 'wx+'),
    open: (file) => realFile(file, 'r+'),
    exists: (file) => guarded('exists', file, () => fs.existsSync(file)),
    list: (directory) => guarded('list', directory, () => fs.readdirSync(directory).toSorted()),
    makeDirectory,
    rename: (from, to) => guarded('rename', from, () => fs.renameSync(from, to)),
    unlink: (file) => guarded('unlink', file, () => fs.unlinkSync(file)),
    syncDirectory,
    freeBytes: (directory) =>
      guarded('statfs', directory, () => {
        const { bavail, bsize } = fs.statfsSync(directory)
        return bavail * bsize
      }),
    lock: (file) => guarded('lock', file, () => takeLock(file)),
  }
}

/** New directories are synced into their parents before this returns: callers need not know which were missing. */
function makeDirectory(directory: string): void {
  guarded('mkdir', directory, () => {
    const target = path.resolve(directory)
    const first = fs.mkdirSync(target, { recursive: true })
    if (first === undefined) return
    const stop = path.dirname(path.resolve(first))
    for (let made = target; made !== stop; made = path.dirname(made)) syncNow(path.dirname(made))
  })
}

function syncNow(directory: string): void {
  const descriptor = fs.openSync(directory, 'r')
  try {
    fs.fsyncSync(descriptor)
  } finally {
    fs.closeSync(descriptor)
  }
}

async function syncDirectory(directory: string): Promise<void> {
  const descriptor = guarded('open', directory, () => fs.openSync(directory, 'r'))
  try {
    await completed('fsync', directory, (done) => fs.fsync(descriptor, done))
  } finally {
    fs.closeSync(descriptor)
  }
}

function realFile(file: string, flags: string): DiskFile {
  const descriptor = guarded('open', file, () => fs.openSync(file, flags, 0o644))
  let syncing = 0
  let closing = false
  const closeIfIdle = (): void => {
    if (closing && syncing === 0) guarded('close', file, () => fs.closeSync(descriptor))
  }
  return {
    size: () => guarded('stat', file, () => fs.fstatSync(descriptor).size),
    write: (buffers, position) => guarded('write', file, () => writeAll(descriptor, buffers, position)),
    read: (position, length) => guarded('read', file, () => readAll(descriptor, position, length)),
    // A descriptor closed under a sync in the pool could by then be another file's: close waits.
    datasync: async () => {
      syncing += 1
      try {
        await completed('fdatasync', file, (done) => fs.fdatasync(descriptor, done))
      } finally {
        syncing -= 1
        closeIfIdle()
      }
    },
    close: () => {
      if (closing) return
      closing = true
      closeIfIdle()
    },
  }
}

function writeAll(descriptor: number, buffers: readonly Uint8Array[], position: number): void {
  let rest = buffers.filter((buffer) => buffer.length > 0)
  let at = position
  while (rest.length > 0) {
    let written = fs.writevSync(descriptor, rest, at)
    if (written === 0) throw new DiskError('EIO', 'a write took no bytes')
    at += written
    let whole = 0
    while (whole < rest.length && written >= (rest[whole]?.length ?? 0)) written -= rest[whole++]?.length ?? 0
    rest = rest.slice(whole)
    const first = rest[0]
    if (first !== undefined && written > 0) rest[0] = first.subarray(written)
  }
}

function readAll(descriptor: number, position: number, length: number): Uint8Array {
  const bytes = Buffer.allocUnsafeSlow(length)
  let filled = 0
  while (filled < length) {
    const count = fs.readSync(descriptor, bytes, filled, length - filled, position + filled)
    if (count === 0) break
    filled += count
  }
  return bytes.subarray(0, filled)
}

function completed(
  what: string,
  file: string,
  start: (done: (error: Error | null) => void) => void,
): Promise<void> {
  return new Promise((resolve, reject) => {
    start((error) => (error === null ? resolve() : reject(diskError(what, file, error))))
  })
}

function guarded<Result>(what: string, file: string, run: () => Result): Result {
  try {
    return run()
  } catch (error) {
    throw diskError(what, file, error)
  }
}

function diskError(what: string, file: string, error: unknown): DiskError {
  if (error instanceof DiskError) return error
  const code =
    error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'UNKNOWN'
  return new DiskError(code, `${what} ${file}: ${String(error)}`, { cause: error })
}
