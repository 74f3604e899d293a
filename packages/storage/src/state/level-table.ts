// Checks one table file of LevelDB by LevelDB's own block checksums, which its binding never looks at. A flipped byte in
// a table can hide a row or bring an older one back, and neither shows in a row's checksum.
// Layout: LevelDB 1.20, doc/table_format.md. Every byte of the file belongs to a block or to the footer.
import { maskedCrc32c } from './crc32c.ts'
import { type BlockHandle, VarintReader } from './varint-reader.ts'

const FOOTER_BYTES = 48
const MAGIC = Buffer.from('57fb808b247547db', 'hex')
/** Type byte and checksum behind each block. */
const TRAILER_BYTES = 5
/** Bytes checked between two turns of the event loop: half a millisecond at 500 MB/s. */
const SLICE_BYTES = 256 * 1024

/** Why the table cannot be trusted; null if every byte is what LevelDB wrote. */
export async function tableDamage(file: Buffer, endOfTurn: () => Promise<void>): Promise<string | null> {
  const end = file.length - FOOTER_BYTES
  if (end < 0 || !file.subarray(-MAGIC.length).equals(MAGIC)) return 'no footer'
  const footer = new VarintReader(file.subarray(end, file.length - MAGIC.length))
  const metaIndex = footer.handle()
  const index = footer.handle()
  const blocks = [metaIndex, index]
  for (const listing of [metaIndex, index]) {
    if (!sound(file, listing, end)) return `bad block at ${listing?.offset}`
    const handles = listing && listedHandles(file.subarray(listing.offset, listing.offset + listing.size))
    if (!handles) return `bad listing at ${listing?.offset}`
    blocks.push(...handles)
  }
  let sliceBytes = 0
  for (const block of blocks) {
    if (!sound(file, block, end)) return `bad block at ${block?.offset}`
    sliceBytes += block?.size ?? 0
    if (sliceBytes < SLICE_BYTES) continue
    sliceBytes = 0
    await endOfTurn()
  }
  return tiles(blocks, end) ? null : 'blocks are missing'
}

function sound(file: Buffer, block: BlockHandle | null, end: number): boolean {
  if (block === null || block.offset + block.size + TRAILER_BYTES > end) return false
  const trailer = block.offset + block.size
  return file.readUInt32LE(trailer + 1) === maskedCrc32c(file.subarray(block.offset, trailer + 1))
}

/** The blocks follow each other from the start of the file to its footer. */
function tiles(blocks: readonly (BlockHandle | null)[], end: number): boolean {
  let next = 0
  for (const block of blocks.toSorted((a, b) => (a?.offset ?? 0) - (b?.offset ?? 0))) {
    if (block?.offset !== next) return false
    next += block.size + TRAILER_BYTES
  }
  return next === end
}

/** The handles that an index block's entries hold: `shared, unshared, length (varints) | key | value`, then restarts. */
function listedHandles(block: Buffer): BlockHandle[] | null {
  if (block.length < 4) return null
  const entriesEnd = block.length - 4 - block.readUInt32LE(block.length - 4) * 4
  if (entriesEnd < 0) return null
  const reader = new VarintReader(block.subarray(0, entriesEnd))
  const handles: BlockHandle[] = []
  while (!reader.ended) {
    reader.number()
    const keyBytes = reader.number()
    reader.number()
    reader.skip(keyBytes)
    const handle = reader.handle()
    if (handle === null) return null
    handles.push(handle)
  }
  return handles
}
