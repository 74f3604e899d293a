// How much of a node goes into snapshots: so many at a time, so many bytes per ms, over all groups and peers.
import { fixed } from '../settings.ts'

export class SnapshotTraffic {
  #running = 0
  readonly #waiting = new Set<() => void>()
  #freeAt = 0

  /** Calls `start` when there is room: now or later, or never if what this returns is called before. It also ends the stay. */
  enter(start: () => void): () => void {
    const entry = (): void => start()
    let left = false
    if (this.#running < fixed.snapshotsAtOnce) {
      this.#running += 1
      entry()
    } else this.#waiting.add(entry)
    return () => {
      if (left) return
      left = true
      if (this.#waiting.delete(entry)) return
      const [next] = this.#waiting
      if (next === undefined) this.#running -= 1
      else {
        this.#waiting.delete(next)
        next()
      }
    }
  }

  /** Ms until so many bytes may leave; they are counted as if they did. */
  pace(bytes: number, now: number): number {
    const at = Math.max(now, this.#freeAt)
    this.#freeAt = at + bytes / fixed.snapshotBytesPerMs
    return at - now
  }
}
