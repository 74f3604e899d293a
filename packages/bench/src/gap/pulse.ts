// A steady pulse of writes to every shard, to see for how long each of them stands still.
import { type Cache, connect } from '@quorate/client'
import { keyName } from '../load/keys.ts'

/** So that one that waits for its deadline does not hide that the shard is back. */
const WRITERS_PER_SHARD = 2
/** Enough that every shard has one, whatever the hash does. */
const KEYS_PER_SHARD = 64

export class Pulse {
  readonly #cache: Cache
  readonly #keys: ReadonlyMap<number, string>
  /** By group: when it last answered, and the longest time between two answers since `begin`. */
  readonly #lastMs = new Map<number, number>()
  readonly #longestMs = new Map<number, number>()
  #running = true
  #writers: Promise<unknown> = Promise.resolve()

  private constructor(cache: Cache, keys: ReadonlyMap<number, string>) {
    this.#cache = cache
    this.#keys = keys
  }

  static async start(endpoints: readonly string[], shards: number): Promise<Pulse> {
    const cache = await connect(endpoints)
    const keys = new Map<number, string>()
    for (let number = 0; keys.size < shards; number++) {
      if (number > shards * KEYS_PER_SHARD) throw new Error(`no key found for ${shards - keys.size} shards`)
      const key = keyName(number)
      await cache.set(key, number, {
        observer: ({ group }) => {
          if (group !== null && !keys.has(group)) keys.set(group, key)
        },
      })
    }
    const pulse = new Pulse(cache, keys)
    pulse.#begin()
    return pulse
  }

  /** What was before no longer counts. */
  begin(): void {
    for (const group of this.#keys.keys()) this.#longestMs.set(group, 0)
  }

  /** The longest time without an answer since `begin`, ms, the one that lasts included. */
  longestMs(group: number): number {
    return Math.max(this.#longestMs.get(group) ?? 0, this.silentMs(group))
  }

  /** Since the last answer, ms. */
  silentMs(group: number): number {
    return performance.now() - (this.#lastMs.get(group) ?? Number.NEGATIVE_INFINITY)
  }

  async stop(): Promise<void> {
    this.#running = false
    await this.#writers
    await this.#cache.close()
  }

  #begin(): void {
    const writers = [...this.#keys].flatMap(([group, key]) => {
      this.#lastMs.set(group, performance.now())
      return Array.from({ length: WRITERS_PER_SHARD }, () => this.#write(group, key))
    })
    this.#writers = Promise.all(writers)
  }

  async #write(group: number, key: string): Promise<void> {
    while (this.#running) {
      try {
        await this.#cache.set(key, 1)
      } catch {
        // A failure is no answer: the shard stands still.
        continue
      }
      this.#longestMs.set(group, this.longestMs(group))
      this.#lastMs.set(group, performance.now())
    }
  }
}
