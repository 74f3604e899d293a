// A file of the memory disk: what the page cache holds, what the platter holds, and the writes in between.

/** What survives a power loss independently of its neighbours. */
const SECTOR_BYTES = 512

interface PendingWrite {
  readonly position: number
  readonly bytes: Uint8Array
}

/** One inode. Open handles and names refer to it; it outlives both until nothing does. */
export class MemoryFile {
  #cache: Extent = new Extent()
  #durable: Extent = new Extent()
  /** Written and not synced, oldest first. */
  #pending: PendingWrite[] = []
  /** Writes that are no longer pending. */
  #settled = 0

  get size(): number {
    return this.#cache.size
  }

  read(position: number, length: number): Uint8Array {
    return this.#cache.read(position, length)
  }

  write(position: number, bytes: Uint8Array): void {
    this.#cache.write(position, bytes)
    this.#pending.push({ position, bytes: new Uint8Array(bytes) })
  }

  /** Number of writes so far: a sync that begins now covers them. */
  get writes(): number {
    return this.#settled + this.#pending.length
  }

  /** A sync that covered the first `writes` writes ended well; a later one may have ended before it. What it made durable. */
  commit(writes: number): readonly Uint8Array[] {
    const settled = this.#settle(writes)
    for (const { position, bytes } of settled) this.#durable.write(position, bytes)
    return settled.map(({ bytes }) => bytes)
  }

  /** A failed sync: as on Linux the pages are then clean, so that no later sync writes them either. */
  forsake(writes: number): void {
    this.#settle(writes)
  }

  /** Power loss: of the pending writes any subset of sectors is kept, some cut at any byte; `draw` in [0, 1). */
  losePower(draw: () => number): void {
    for (const write of this.#settle(this.writes)) keepSome(this.#durable, write, draw)
    this.#cache = this.#durable.copy()
  }

  /** Bit rot: cache and platter alike. */
  flip(position: number, mask: number): void {
    for (const extent of [this.#cache, this.#durable]) {
      const [byte] = extent.read(position, 1)
      if (byte !== undefined) extent.write(position, Uint8Array.of(byte ^ mask))
    }
  }

  truncate(size: number): void {
    this.#cache.truncate(size)
    this.#durable.truncate(size)
    this.#settle(this.writes)
  }

  /** An independent file with the same content (a copy of a directory, made while its owner did not run). */
  copy(): MemoryFile {
    const twin = new MemoryFile()
    twin.#cache = this.#cache.copy()
    twin.#durable = this.#durable.copy()
    twin.#pending = [...this.#pending]
    return twin
  }

  #settle(writes: number): PendingWrite[] {
    const settled = this.#pending.splice(0, Math.max(0, writes - this.#settled))
    this.#settled += settled.length
    return settled
  }
}

function keepSome(durable: Extent, { position, bytes }: PendingWrite, draw: () => number): void {
  const fate = draw()
  if (fate < 0.25) return
  if (fate < 0.45) return durable.write(position, bytes)
  if (fate < 0.7) return durable.write(position, bytes.subarray(0, Math.floor(draw() * (bytes.length + 1))))
  for (let from = 0; from < bytes.length;) {
    const to = Math.min(bytes.length, from + SECTOR_BYTES - ((position + from) % SECTOR_BYTES))
    if (draw() < 0.5) durable.write(position + from, bytes.subarray(from, to))
    from = to
  }
}

/** Bytes that grow; what was never written reads as zero. */
class Extent {
  #bytes: Uint8Array = new Uint8Array(0)
  size = 0

  read(position: number, length: number): Uint8Array {
    return this.#bytes.slice(position, Math.min(position + length, this.size))
  }

  write(position: number, bytes: Uint8Array): void {
    if (bytes.length === 0) return
    const end = position + bytes.length
    if (end > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(end, this.#bytes.length * 2))
      grown.set(this.#bytes)
      this.#bytes = grown
    }
    this.#bytes.set(bytes, position)
    this.size = Math.max(this.size, end)
  }

  truncate(size: number): void {
    if (size >= this.size) return
    this.#bytes.fill(0, size)
    this.size = size
  }

  copy(): Extent {
    const twin = new Extent()
    twin.#bytes = this.#bytes.slice(0, this.size)
    twin.size = this.size
    return twin
  }
}
