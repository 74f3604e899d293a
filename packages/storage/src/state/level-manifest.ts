// Which tables LevelDB counts as its own, read from its MANIFEST. A process that died while it wrote a table leaves one
// that is half there and that nobody names: it must not be taken for damage.
// Layout: LevelDB 1.20, doc/log_format.md and db/version_edit.cc.
import { maskedCrc32c } from './crc32c.ts'
import { VarintReader } from './varint-reader.ts'

const BLOCK_BYTES = 32 * 1024
const HEADER_BYTES = 7
const FRAGMENT = { full: 1, first: 2, last: 4 } as const
const TAG = { comparator: 1, compactPointer: 5, deletedFile: 6, newFile: 7 } as const
/** Tags with one number: log, next file, last sequence, previous log. */
const NUMBER_TAGS: ReadonlySet<number> = new Set([2, 3, 4, 9])

/** Numbers of the live tables, ascending; as far as the file can be read: LevelDB itself refuses one that it cannot. */
export function liveTables(manifest: Buffer): number[] {
  const live = new Map<string, number>()
  for (const record of records(manifest)) {
    if (!applyEdit(record, live)) break
  }
  return [...new Set(live.values())].toSorted((a, b) => a - b)
}

function applyEdit(record: Buffer, live: Map<string, number>): boolean {
  const reader = new VarintReader(record)
  const added: [level: number, table: number][] = []
  while (!reader.ended) {
    const tag = reader.number()
    if (NUMBER_TAGS.has(tag)) reader.number()
    else if (tag === TAG.comparator) reader.skip(reader.number())
    else if (tag === TAG.compactPointer) {
      reader.number()
      reader.skip(reader.number())
    } else if (tag === TAG.deletedFile) live.delete(`${reader.number()} ${reader.number()}`)
    else if (tag === TAG.newFile) {
      added.push([reader.number(), reader.number()])
      reader.number()
      reader.skip(reader.number())
      reader.skip(reader.number())
    } else return false
  }
  // An edit that moves a table deletes and adds it, in whatever order.
  for (const [level, table] of added) live.set(`${level} ${table}`, table)
  return true
}

/** The records up to the first that is torn or bad. */
function* records(file: Buffer): Generator<Buffer> {
  let fragments: Buffer[] = []
  let at = 0
  while (at + HEADER_BYTES <= file.length) {
    const left = BLOCK_BYTES - (at % BLOCK_BYTES)
    if (left < HEADER_BYTES) {
      at += left
      continue
    }
    const end = at + HEADER_BYTES + file.readUInt16LE(at + 4)
    if (end > file.length || file.readUInt32LE(at) !== maskedCrc32c(file.subarray(at + 6, end))) return
    const type = file.readUInt8(at + 6)
    if (type === FRAGMENT.full || type === FRAGMENT.first) fragments = []
    fragments.push(file.subarray(at + HEADER_BYTES, end))
    if (type === FRAGMENT.full || type === FRAGMENT.last) yield Buffer.concat(fragments)
    at = end
  }
}
