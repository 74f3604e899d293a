// A store for Keyv that keeps its entries in Quorate.
import { EventEmitter } from 'node:events'
import { type Cache, type Entry, type Keyspace, QuorateError } from '@quorate/client'
import type { KeyvStoreAdapter, StoredData } from 'keyv'
import { Generations } from './generations.ts'

export interface QuorateKeyvOptions {
  /** What its keys begin with in the cluster; at most 1,000 bytes with key and namespace. Default `keyv`. */
  readonly prefix?: string
}

/** The generation it was written in, and what Keyv made of the value. */
type Stored = readonly [generation: number, data: unknown]

export interface KeyvEntryToSet {
  readonly key: string
  readonly value: unknown
  readonly ttl?: number
}

/** How often a deletion looks again because somebody else wrote first. */
const DELETE_ATTEMPTS_MAX = 100

/**
 * Linearizable as the cache is; rejects with `QuorateError`, which Keyv turns into its `error` event or throws on (`throwOnErrors`).
 * It neither opens nor closes the cache. One adapter serves one Keyv: two with different namespaces take two adapters over one cache.
 */
export class QuorateKeyv extends EventEmitter implements KeyvStoreAdapter {
  /** Keyv asks for it. */
  readonly opts: Record<string, unknown> = { dialect: 'quorate' }
  readonly #entries: Keyspace<Stored>
  readonly #generations: Generations
  #namespace: string | undefined

  constructor(cache: Cache, { prefix = 'keyv' }: QuorateKeyvOptions = {}) {
    super()
    this.#entries = cache.keyspace<Stored>(`${prefix}:`)
    this.#generations = new Generations(cache.keyspace<number>(`${prefix}/generation`))
  }

  get namespace(): string | undefined {
    return this.#namespace
  }

  /** Keyv sets it, also again to the same. Which entries are cleared follows from it, so two may not take turns. */
  set namespace(namespace: string | undefined) {
    if (this.#namespace !== undefined && namespace !== this.#namespace)
      throw new TypeError(
        `this store serves namespace ${this.#namespace}: make another one for ${String(namespace)}`,
      )
    this.#namespace = namespace
  }

  async get<Value>(key: string): Promise<StoredData<Value> | undefined> {
    const [generation, stored] = await Promise.all([this.#generation(), this.#entries.get(key)])
    return dataOf(stored, generation) as StoredData<Value> | undefined
  }

  async getMany<Value>(keys: string[]): Promise<StoredData<Value | undefined>[]> {
    const [generation, hits] = await Promise.all([this.#generation(), this.#entries.getMany(keys)])
    return keys.map((key) => dataOf(hits.get(key), generation) as StoredData<Value | undefined>)
  }

  /** `ttl`: ms, rounded up; none: it stays. */
  async set(key: string, value: unknown, ttl?: number): Promise<void> {
    await this.#set(await this.#generations.begun(this.#scope), {
      key,
      value,
      ...(ttl === undefined ? {} : { ttl }),
    })
  }

  /** True for what was set; rejects with the first failure once all have ended. */
  async setMany(entries: readonly KeyvEntryToSet[]): Promise<void> {
    const generation = await this.#generations.begun(this.#scope)
    const results = await Promise.allSettled(entries.map((entry) => this.#set(generation, entry)))
    for (const result of results) if (result.status === 'rejected') throw result.reason
  }

  /** True if there was an entry. */
  async delete(key: string): Promise<boolean> {
    for (let attempt = 0; attempt < DELETE_ATTEMPTS_MAX; attempt += 1) {
      const [generation, entry] = await Promise.all([this.#generation(), this.#entries.getEntry(key)])
      if (entry === undefined || !isOf(entry, generation)) return false
      // On the version seen: what somebody sets from now on is not what this found.
      const deleted = await this.#entries.del(key, { ifVersion: entry.version })
      if (deleted.applied) return true
    }
    throw new QuorateError('CONFLICT', 'not-done', 'others wrote the key again and again')
  }

  /** True if there was any entry. */
  async deleteMany(keys: string[]): Promise<boolean> {
    const deleted = await Promise.all([...new Set(keys)].map((key) => this.delete(key)))
    return deleted.includes(true)
  }

  async has(key: string): Promise<boolean> {
    return (await this.get(key)) !== undefined
  }

  async hasMany(keys: string[]): Promise<boolean[]> {
    return (await this.getMany(keys)).map((data) => data !== undefined)
  }

  /** All of the namespace at once, in one write. What was cleared takes room until its ttl ends or it is evicted. */
  async clear(): Promise<void> {
    await this.#generations.end(this.#scope)
  }

  /** The cache is its opener's to close. */
  async disconnect(): Promise<void> {}

  get #scope(): string {
    return this.#namespace ?? ''
  }

  #generation(): Promise<number> {
    return this.#generations.current(this.#scope)
  }

  async #set(generation: number, { key, value, ttl }: KeyvEntryToSet): Promise<void> {
    await this.#entries.set(key, [generation, value], ttl === undefined ? {} : { ttl: Math.ceil(ttl) })
  }
}

function dataOf(stored: Stored | undefined, generation: number): unknown {
  return stored !== undefined && generation > 0 && stored[0] === generation ? stored[1] : undefined
}

function isOf({ value }: Entry<Stored>, generation: number): boolean {
  return generation > 0 && value[0] === generation
}
