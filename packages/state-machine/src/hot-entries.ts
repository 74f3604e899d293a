/**
 * Clean entries kept in memory: what the store gave or was given lately, present and absent. First in, first out, by bytes.
 *
 * Kept as a row of maps, oldest first; a released overlay becomes the newest map as it is. A write does not look here: what it
 * makes stale is hidden by the overlay until the overlay is released, and from then on by the newer map. That holds as long as
 * a newer map is never dropped before an older one, so eviction always takes from the oldest.
 */
import { type DirtyEntries, type Known, knownBytes } from './overlay.ts'

/** More would make a miss slow; a smaller released overlay is copied into the newest map instead. */
const MAPS_MAX = 8
/** About 1 ms of copying. */
const COPIED_ENTRIES_MAX = 4096
/** Entries evicted by one call at most, so that a large released overlay stalls nobody. */
const EVICTIONS_PER_CALL = 256

export interface HotEntries {
  find(name: string): Known | undefined
  /** The caller has made sure that this is what the store holds and that no overlay knows the key. */
  remember(name: string, known: Known): void
  /** Takes over an overlay that the store holds by now. */
  adopt(released: DirtyEntries): void
  /** Evicts some of what is too much. Called now and then, since one call never evicts much. */
  trim(): void
  readonly bytes: number
}

interface Generation {
  readonly entries: Map<string, Known>
  bytes: number
}

export function createHotEntries(bytesMax: number): HotEntries {
  let generations: Generation[] = []
  let bytes = 0

  function newest(): Generation {
    const last = generations.at(-1)
    if (last !== undefined) return last
    const first = { entries: new Map<string, Known>(), bytes: 0 }
    generations.push(first)
    return first
  }

  function put(generation: Generation, name: string, known: Known): void {
    const before = generation.entries.get(name)
    const grown = knownBytes(name, known) - (before === undefined ? 0 : knownBytes(name, before))
    generation.entries.set(name, known)
    generation.bytes += grown
    bytes += grown
  }

  function dropOldest(): void {
    bytes -= generations[0]?.bytes ?? 0
    generations = generations.slice(1)
  }

  function evict(): void {
    let evictions = 0
    while (bytes > bytesMax && evictions < EVICTIONS_PER_CALL) {
      const oldest = generations[0]
      if (oldest === undefined) return
      for (const [name, known] of oldest.entries) {
        oldest.entries.delete(name)
        oldest.bytes -= knownBytes(name, known)
        bytes -= knownBytes(name, known)
        evictions += 1
        if (bytes <= bytesMax || evictions === EVICTIONS_PER_CALL) break
      }
      if (oldest.entries.size === 0) dropOldest()
    }
  }

  return {
    find(name) {
      for (let at = generations.length - 1; at >= 0; at--) {
        const known = generations[at]?.entries.get(name)
        if (known !== undefined) return known
      }
      return undefined
    },
    remember(name, known) {
      put(newest(), name, known)
      evict()
    },
    adopt(released) {
      if (released.entries.size <= COPIED_ENTRIES_MAX) {
        for (const [name, known] of released.entries) put(newest(), name, known)
      } else {
        generations.push({ entries: released.entries, bytes: released.bytes })
        bytes += released.bytes
        while (generations.length > MAPS_MAX || (bytes > bytesMax && generations.length > 1)) dropOldest()
      }
      evict()
    },
    trim: evict,
    get bytes() {
      return bytes
    },
  }
}
