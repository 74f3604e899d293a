// `node.json`: who a data directory is. The first file in it, and the one without which nothing in it counts (A8).
import zlib from 'node:zlib'
import type { Disk } from '@quorate/runtime'
import { type LogPosition, StorageRefusedError } from './log/log.ts'
import { readSmallFile, replaceFile } from './small-file.ts'
import type { DirectoryIdentity } from './storage.ts'

const FORMAT = 1

/** What the file holds besides the identity. */
export interface NodeFile extends DirectoryIdentity {
  /** The log was synced up to here when this was written: a log that cannot be read so far is damaged. 0: none yet. */
  readonly logPosition: LogPosition
}

/** Null if there is none. Throws `StorageRefusedError` `DAMAGED` or `NEWER_FORMAT`: a guess would forget votes. */
export function readNodeFile(disk: Disk, file: string): NodeFile | null {
  const bytes = readSmallFile(disk, file)
  if (bytes === null) return null
  const parsed = parse(Buffer.from(bytes).toString('utf8'))
  const format = parsed?.['format']
  if (typeof format === 'number' && format > FORMAT) {
    throw new StorageRefusedError(
      'NEWER_FORMAT',
      `${file} has format ${format}, this program knows ${FORMAT}`,
    )
  }
  const node = parsed === null ? null : checked(parsed)
  if (node === null) throw new StorageRefusedError('DAMAGED', `${file} cannot be read`)
  return node
}

/** Changes the file, one change after another: two at once would share a temporary file. */
export class NodeFileWriter {
  /** What is durable. */
  content: NodeFile
  readonly #disk: Disk
  readonly #file: string
  #last: Promise<void> = Promise.resolve()

  constructor(disk: Disk, file: string, content: NodeFile) {
    this.#disk = disk
    this.#file = file
    this.content = content
  }

  /** Durable when the promise resolves. */
  change(part: Partial<Pick<NodeFile, 'boot' | 'clusterId' | 'logPosition'>>): Promise<void> {
    const done = this.#last.then(async () => {
      const changed = { ...this.content, ...part }
      const text = JSON.stringify({ ...changed, checksum: checksumOf(changed) }, null, 2)
      await replaceFile(this.#disk, this.#file, Buffer.from(`${text}\n`))
      this.content = changed
    })
    this.#last = done.catch(() => {})
    return done
  }

  settled(): Promise<void> {
    return this.#last
  }
}

function parse(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : null
  } catch {
    return null
  }
}

function checked(parsed: Record<string, unknown>): NodeFile | null {
  const { format, dirId, clusterId, name, boot, logPosition, checksum } = parsed
  if (format !== FORMAT || typeof dirId !== 'string' || !/^[0-9a-f]{32}$/.test(dirId)) return null
  if (clusterId !== null && typeof clusterId !== 'string') return null
  if (typeof name !== 'string' || !isCount(boot) || boot < 1 || !isCount(logPosition)) return null
  const node: NodeFile = { format, dirId, clusterId, name, boot, logPosition }
  return checksum === checksumOf(node) ? node : null
}

function checksumOf({ format, dirId, clusterId, name, boot, logPosition }: NodeFile): number {
  return zlib.crc32(JSON.stringify([format, dirId, clusterId, name, boot, logPosition]))
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}
