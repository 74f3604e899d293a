// Keys that share a prefix, as a cache of values of one type.
import { type QuorateError, encodeKey } from '@quorate/protocol'
import type { Cache, ConditionalResult, Entry, Updated, Written } from './cache.ts'
import type { GetOrSetOptions, Loader } from './fill/options.ts'
import type {
  DelOptions,
  Key,
  OperationOptions,
  ReadOptions,
  SetManyOptions,
  SetOptions,
  UnconditionalOptions,
  UnconditionalSetOptions,
  UpdateOptions,
} from './options.ts'
import type { Codec } from './values/codec.ts'
import type { CodecName } from './values/value.ts'

export interface KeyspaceOptions {
  /** Of its values. Default: that of the client. */
  readonly codec?: CodecName | Codec | undefined
  /** Of every write that names no other, ms. Default: entries stay. */
  readonly ttl?: number | undefined
}

/** As `Cache`, for keys without their prefix and values of one type. What the type says is not checked at run time. */
export interface Keyspace<Value> {
  readonly prefix: string
  get(key: Key, options?: ReadOptions): Promise<Value | undefined>
  getEntry(key: Key, options?: ReadOptions): Promise<Entry<Value> | undefined>
  set(key: Key, value: Value, options?: UnconditionalSetOptions): Promise<Written>
  set(key: Key, value: Value, options: SetOptions): Promise<ConditionalResult<Value>>
  del(key: Key, options?: UnconditionalOptions): Promise<boolean>
  del(key: Key, options: DelOptions): Promise<ConditionalResult<Value>>
  touch(key: Key, ttl: number, options?: UnconditionalOptions): Promise<boolean>
  touch(key: Key, ttl: number, options: DelOptions): Promise<ConditionalResult<Value>>
  persist(key: Key, options?: UnconditionalOptions): Promise<boolean>
  persist(key: Key, options: DelOptions): Promise<ConditionalResult<Value>>
  incr(key: Key, by?: number, options?: OperationOptions): Promise<number>
  getMany<K extends Key = string>(keys: Iterable<K>, options?: ReadOptions): Promise<Map<K, Value>>
  setMany<K extends Key = string>(
    entries: Iterable<readonly [K, Value]>,
    options?: SetManyOptions,
  ): Promise<Map<K, Written | QuorateError>>
  delMany<K extends Key = string>(
    keys: Iterable<K>,
    options?: OperationOptions,
  ): Promise<Map<K, boolean | QuorateError>>
  update(
    key: Key,
    change: (value: Value | undefined) => Value | undefined | PromiseLike<Value | undefined>,
    options?: UpdateOptions,
  ): Promise<Updated<Value>>
  getOrSet(key: Key, loader: Loader<Value>, options?: GetOrSetOptions): Promise<Value>
}

/** @throws QuorateError `KEY_INVALID`, `not-done`. */
export function checkedPrefix(prefix: string): void {
  encodeKey(prefix)
}

type DataCache = Omit<Cache, 'close' | 'status' | 'health' | 'topology' | 'on' | 'keyspace' | symbol>

export class PrefixedCache<Value> implements Keyspace<Value> {
  readonly prefix: string
  readonly #cache: DataCache
  readonly #prefixBytes: Uint8Array
  readonly #ttl: number | undefined

  constructor(cache: DataCache, prefix: string, ttl: number | undefined) {
    this.#cache = cache
    this.prefix = prefix
    this.#prefixBytes = encodeKey(prefix)
    this.#ttl = ttl
  }

  async get(key: Key, options?: ReadOptions): Promise<Value | undefined> {
    return this.#cache.get<Value>(this.#key(key), options)
  }

  async getEntry(key: Key, options?: ReadOptions): Promise<Entry<Value> | undefined> {
    return this.#cache.getEntry<Value>(this.#key(key), options)
  }

  set(key: Key, value: Value, options?: UnconditionalSetOptions): Promise<Written>
  set(key: Key, value: Value, options: SetOptions): Promise<ConditionalResult<Value>>
  async set(key: Key, value: Value, options: SetOptions = {}): Promise<Written | ConditionalResult<Value>> {
    return this.#cache.set<Value>(this.#key(key), value, this.#withTtl(options))
  }

  del(key: Key, options?: UnconditionalOptions): Promise<boolean>
  del(key: Key, options: DelOptions): Promise<ConditionalResult<Value>>
  async del(key: Key, options: DelOptions = {}): Promise<boolean | ConditionalResult<Value>> {
    return this.#cache.del<Value>(this.#key(key), options)
  }

  touch(key: Key, ttl: number, options?: UnconditionalOptions): Promise<boolean>
  touch(key: Key, ttl: number, options: DelOptions): Promise<ConditionalResult<Value>>
  async touch(key: Key, ttl: number, options: DelOptions = {}): Promise<boolean | ConditionalResult<Value>> {
    return this.#cache.touch<Value>(this.#key(key), ttl, options)
  }

  persist(key: Key, options?: UnconditionalOptions): Promise<boolean>
  persist(key: Key, options: DelOptions): Promise<ConditionalResult<Value>>
  async persist(key: Key, options: DelOptions = {}): Promise<boolean | ConditionalResult<Value>> {
    return this.#cache.persist<Value>(this.#key(key), options)
  }

  async incr(key: Key, by?: number, options?: OperationOptions): Promise<number> {
    return this.#cache.incr(this.#key(key), by, options)
  }

  async getMany<K extends Key = string>(keys: Iterable<K>, options?: ReadOptions): Promise<Map<K, Value>> {
    const named = this.#named(keys)
    return this.#renamed(named, await this.#cache.getMany<Value, Key>(named.keys(), options))
  }

  async setMany<K extends Key = string>(
    entries: Iterable<readonly [K, Value]>,
    options: SetManyOptions = {},
  ): Promise<Map<K, Written | QuorateError>> {
    const wanted = new Map(entries)
    const named = this.#named(wanted.keys())
    const prefixed = [...named].map(([full, key]) => [full, wanted.get(key)] as const)
    return this.#renamed(named, await this.#cache.setMany<Key>(prefixed, this.#withTtl(options)))
  }

  async delMany<K extends Key = string>(
    keys: Iterable<K>,
    options?: OperationOptions,
  ): Promise<Map<K, boolean | QuorateError>> {
    const named = this.#named(keys)
    return this.#renamed(named, await this.#cache.delMany<Key>(named.keys(), options))
  }

  async update(
    key: Key,
    change: (value: Value | undefined) => Value | undefined | PromiseLike<Value | undefined>,
    options: UpdateOptions = {},
  ): Promise<Updated<Value>> {
    return this.#cache.update<Value>(this.#key(key), change, this.#withTtl(options))
  }

  async getOrSet(key: Key, loader: Loader<Value>, options: GetOrSetOptions = {}): Promise<Value> {
    return this.#cache.getOrSet<Value>(this.#key(key), loader, this.#withTtl(options))
  }

  #withTtl<Options extends { readonly ttl?: number | undefined }>(options: Options): Options {
    return this.#ttl === undefined || options.ttl !== undefined ? options : { ...options, ttl: this.#ttl }
  }

  /** What is no key stays none, and is refused as such: the prefix alone is none of its keys either. */
  #key(key: Key): Key {
    if (!(key instanceof Uint8Array)) return typeof key === 'string' && key !== '' ? this.prefix + key : key
    if (key.byteLength === 0) return key
    const bytes = new Uint8Array(this.#prefixBytes.byteLength + key.byteLength)
    bytes.set(this.#prefixBytes)
    bytes.set(key, this.#prefixBytes.byteLength)
    return bytes
  }

  #named<K extends Key>(keys: Iterable<K>): Map<Key, K> {
    return new Map([...new Set(keys)].map((key) => [this.#key(key), key]))
  }

  #renamed<K extends Key, T>(named: ReadonlyMap<Key, K>, results: ReadonlyMap<Key, T>): Map<K, T> {
    const renamed = new Map<K, T>()
    for (const [full, result] of results) {
      const key = named.get(full)
      if (key !== undefined) renamed.set(key, result)
    }
    return renamed
  }
}
