// Eviction policies by the book, to hold the one of this package against. Each tells for every access whether it was a hit.

export interface Policy {
  /** A key that is not there is fetched and kept: a miss. */
  access(key: number): boolean
}

/** Oldest first, or with `reuse` the least recently used first. */
export function createQueue(capacity: number, reuse: boolean): Policy {
  const kept = new Set<number>()
  return {
    access: (key) => {
      const hit = kept.has(key)
      if (hit && !reuse) return true
      if (hit) kept.delete(key)
      else if (kept.size === capacity) dropFirst(kept)
      kept.add(key)
      return hit
    },
  }
}

function dropFirst(kept: Set<number>): number {
  const [first = -1] = kept
  kept.delete(first)
  return first
}

/** SIEVE (Zhang et al., NSDI 2024) on a list. */
export function createSieve(capacity: number): Policy {
  const keys = new Int32Array(capacity).fill(-1)
  const newer = new Int32Array(capacity).fill(-1)
  const older = new Int32Array(capacity).fill(-1)
  const visited = new Uint8Array(capacity)
  const places = new Map<number, number>()
  let [newest, oldest, hand] = [-1, -1, -1]
  const evict = (): number => {
    let at = hand < 0 ? oldest : hand
    for (; visited[at] === 1; at = (newer[at] ?? -1) < 0 ? oldest : (newer[at] ?? -1)) visited[at] = 0
    const [above, below] = [newer[at] ?? -1, older[at] ?? -1]
    hand = above
    if (above < 0) newest = below
    else older[above] = below
    if (below < 0) oldest = above
    else newer[below] = above
    places.delete(keys[at] ?? -1)
    return at
  }
  return {
    access: (key) => {
      const found = places.get(key)
      if (found !== undefined) visited[found] = 1
      if (found !== undefined) return true
      const at = places.size < capacity ? places.size : evict()
      keys[at] = key
      visited[at] = 0
      older[at] = newest
      newer[at] = -1
      if (newest < 0) oldest = at
      else newer[newest] = at
      newest = at
      places.set(key, at)
      return false
    },
  }
}

/** S3-FIFO (Yang et al., SOSP 2023): a small queue of a tenth, a main one, and a ghost of what the small one let go. */
export function createS3Fifo(capacity: number): Policy {
  const smallMax = Math.floor(capacity / 10)
  const small = new Set<number>()
  const main = new Set<number>()
  const ghost = new Set<number>()
  const uses = new Map<number, number>()
  const evictSmall = (): void => {
    while (small.size > 0) {
      const key = dropFirst(small)
      if ((uses.get(key) ?? 0) > 1) {
        main.add(key)
        uses.set(key, 0)
        if (main.size > capacity - smallMax) evictMain()
        continue
      }
      uses.delete(key)
      ghost.add(key)
      if (ghost.size > capacity - smallMax) dropFirst(ghost)
      return
    }
  }
  const evictMain = (): void => {
    for (;;) {
      const key = dropFirst(main)
      const left = (uses.get(key) ?? 0) - 1
      uses.set(key, left)
      if (left < 0) return void uses.delete(key)
      main.add(key)
    }
  }
  return {
    access: (key) => {
      const known = uses.get(key)
      if (known !== undefined) uses.set(key, Math.min(3, known + 1))
      if (known !== undefined) return true
      while (small.size + main.size >= capacity) {
        if (small.size >= smallMax) evictSmall()
        else evictMain()
      }
      if (ghost.delete(key)) main.add(key)
      else small.add(key)
      uses.set(key, 0)
      return false
    },
  }
}
