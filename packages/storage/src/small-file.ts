// Small files replaced as a whole: temporary file, sync, rename, directory sync (G8).
import path from 'node:path'
import zlib from 'node:zlib'
import type { Disk } from '@quorate/runtime'
import { DamageError } from './log/log.ts'

const TEMPORARY = '.new'
/** Names in a data directory that have another owner. */
const RESERVED: readonly string[] = ['node.json', 'lock', 'log', 'state', 'ballast']
const CHECKSUM_BYTES = 4

/** Durable, old or new and never a mixture, when the promise resolves. One writer per file. */
export async function replaceFile(disk: Disk, file: string, bytes: Uint8Array): Promise<void> {
  const temporary = `${file}${TEMPORARY}`
  // What a crash left here was never visible.
  if (disk.exists(temporary)) disk.unlink(temporary)
  const handle = disk.create(temporary)
  try {
    handle.write([bytes], 0)
    await handle.datasync()
  } finally {
    handle.close()
  }
  disk.rename(temporary, file)
  await disk.syncDirectory(path.dirname(file))
}

/** Null if there is no such file. */
export function readSmallFile(disk: Disk, file: string): Uint8Array | null {
  if (!disk.exists(file)) return null
  const handle = disk.open(file)
  try {
    return handle.read(0, handle.size())
  } finally {
    handle.close()
  }
}

/** Throws `RangeError` for a name that is not lower case letters, digits, `.` and `-`, or that is taken. */
export function smallFilePath(directory: string, name: string): string {
  if (!/^[a-z0-9][a-z0-9.-]*$/.test(name) || name.endsWith(TEMPORARY) || RESERVED.includes(name)) {
    throw new RangeError(`not a file name: ${name}`)
  }
  return path.join(directory, name)
}

/** Checksum, started with the directory's id, then the content. */
export function sealFile(bytes: Uint8Array, dirId: string): Buffer {
  const sealed = Buffer.alloc(CHECKSUM_BYTES + bytes.byteLength)
  sealed.set(bytes, CHECKSUM_BYTES)
  sealed.writeUInt32LE(zlib.crc32(bytes, zlib.crc32(dirId)))
  return sealed
}

/** The content; throws `DamageError` where it is not what was written. */
export function unsealFile(sealed: Uint8Array | null, name: string, dirId: string): Uint8Array | null {
  if (sealed === null) return null
  const bytes = sealed.slice(CHECKSUM_BYTES)
  if (sealed.byteLength < CHECKSUM_BYTES || !sealFile(bytes, dirId).equals(sealed)) {
    throw new DamageError(`the file ${name} fails its checksum`)
  }
  return bytes
}
