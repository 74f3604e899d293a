// The cache over its dispatcher: keys and values in, results out.
import {
  type Condition,
  QuorateError,
  type ShardMap,
  type Value,
  assertKey,
  encodeKey,
  slotOf,
} from '@quorate/protocol'
import type { Age, Applied } from './calls/call.ts'
import type { Dispatcher } from './calls/dispatcher.ts'
import type { Cache, ConditionalResult, Entry, NodeReport, Updated, Written } from './cache.ts'
import { conditionOf } from './condition.ts'
import type { ClientEvents, Events, Listener } from './events.ts'
import { getOrSet } from './fill/get-or-set.ts'
import { type GetOrSetOptions, type Loader, fillTimes } from './fill/options.ts'
import { isPlaceholder, placeholder } from './fill/placeholder.ts'
import { type Revalidations, leaseKeyOf } from './fill/revalidate.ts'
import { type Health, healthOf } from './health.ts'
import { type Keyspace, type KeyspaceOptions, PrefixedCache, checkedPrefix } from './keyspace.ts'
import type { Operations } from './operation.ts'
import type {
  DelOptions,
  Key,
  OperationOptions,
  ReadOptions,
  SetManyOptions,
  SetOptions,
  TtlOption,
  UnconditionalOptions,
  UnconditionalSetOptions,
  UpdateOptions,
} from './options.ts'
import { checkedTimeout } from './options.ts'
import { relaxedReadOf } from './read-options.ts'
import type { Topology } from './route/topology.ts'
import type { Seen, SeenKey } from './seen.ts'
import { closeClient } from './shutdown.ts'
import type { Spans } from './span.ts'
import { askEveryNode } from './status.ts'
import { type TopologyView, topologyView } from './topology-view.ts'
import type { ClientRuntime } from './runtime.ts'
import { checkedTtl, ttlOf } from './ttl.ts'
import { updateKey } from './update.ts'
import type { AnswerMap, UserBody } from './user-call.ts'
import type { Codec } from './values/codec.ts'
import { decodeUserValue, encodeUserValue, resolveCodec } from './values/value.ts'

export interface QuorateCacheOptions {
  readonly runtime: ClientRuntime
  readonly dispatcher: Dispatcher
  readonly topology: Topology
  readonly operations: Operations
  readonly events: Events
  readonly spans: Spans
  readonly revalidations: Revalidations
  readonly codec: Codec
  readonly timeoutMs: number
}

export class QuorateCache implements Cache {
  readonly #options: QuorateCacheOptions
  readonly #operations: Operations
  #closing: Promise<void> | null = null

  constructor(options: QuorateCacheOptions) {
    this.#options = options
    this.#operations = options.operations
  }

  get<V = unknown>(key: Key, options: ReadOptions = {}): Promise<V | undefined> {
    return started(() =>
      this.#operations.run(readOf(key, options), options, this.#seenValue as AnswerMap<V | undefined>),
    )
  }

  getEntry<V = unknown>(key: Key, options: ReadOptions = {}): Promise<Entry<V> | undefined> {
    return started(() =>
      this.#operations.run(readOf(key, options), options, this.#seenEntry as AnswerMap<Entry<V> | undefined>),
    )
  }

  set(key: Key, value: unknown, options?: UnconditionalSetOptions): Promise<Written>
  set<V = unknown>(key: Key, value: V, options: SetOptions): Promise<ConditionalResult<V>>
  set(key: Key, value: unknown, options: SetOptions = {}): Promise<Written | ConditionalResult> {
    return started(() => {
      const bytes = keyBytes(key)
      const condition = conditionOf(options)
      return this.#set(bytes, encodeUserValue(value, this.#options.codec), condition, options)
    })
  }

  #set(
    key: Uint8Array,
    value: Value,
    condition: Condition,
    options: OperationOptions & TtlOption & Pick<SetOptions, 'evict'>,
  ): Promise<Written | ConditionalResult> {
    const body: UserBody = {
      kind: 'write',
      op: 'set',
      sequence: 0,
      notAfter: 0,
      key,
      slot: slotOf(key),
      value,
      condition,
      ttl: ttlOf(options),
      ...(options.evict === false ? { evict: false as const } : {}),
    }
    return this.#run(body, condition, options, written)
  }

  del(key: Key, options?: UnconditionalOptions): Promise<boolean>
  del<V = unknown>(key: Key, options: DelOptions): Promise<ConditionalResult<V>>
  del(key: Key, options: DelOptions = {}): Promise<boolean | ConditionalResult> {
    return started(() => {
      const bytes = keyBytes(key)
      const condition = conditionOf(options)
      const body: UserBody = {
        kind: 'write',
        op: 'del',
        sequence: 0,
        notAfter: 0,
        key: bytes,
        slot: slotOf(bytes),
        condition,
      }
      return this.#run(body, condition, options, existed)
    })
  }

  touch(key: Key, ttl: number, options?: UnconditionalOptions): Promise<boolean>
  touch<V = unknown>(key: Key, ttl: number, options: DelOptions): Promise<ConditionalResult<V>>
  touch(key: Key, ttl: number, options: DelOptions = {}): Promise<boolean | ConditionalResult> {
    return started(() => {
      const bytes = keyBytes(key)
      const condition = conditionOf(options)
      const slot = slotOf(bytes)
      const body: UserBody = {
        kind: 'write',
        op: 'touch',
        sequence: 0,
        notAfter: 0,
        key: bytes,
        slot,
        condition,
        ttl: checkedTtl(ttl),
      }
      return this.#run(body, condition, options, touched)
    })
  }

  persist(key: Key, options?: UnconditionalOptions): Promise<boolean>
  persist<V = unknown>(key: Key, options: DelOptions): Promise<ConditionalResult<V>>
  persist(key: Key, options: DelOptions = {}): Promise<boolean | ConditionalResult> {
    return started(() => {
      const bytes = keyBytes(key)
      const condition = conditionOf(options)
      const body: UserBody = {
        kind: 'write',
        op: 'persist',
        sequence: 0,
        notAfter: 0,
        key: bytes,
        slot: slotOf(bytes),
        condition,
      }
      return this.#run(body, condition, options, touched)
    })
  }

  #run<T>(
    body: UserBody,
    condition: Condition,
    options: OperationOptions,
    unconditional: AnswerMap<T>,
  ): Promise<T | ConditionalResult> {
    return this.#operations.run<T | ConditionalResult>(
      body,
      options,
      condition.type === 'always' ? unconditional : this.#conditional,
    )
  }

  incr(key: Key, by = 1, options: OperationOptions = {}): Promise<number> {
    return started(() => {
      const bytes = keyBytes(key)
      if (!Number.isSafeInteger(by)) {
        throw new QuorateError('ARGUMENT_INVALID', 'not-done', `incr adds a safe integer, not ${String(by)}`)
      }
      // `+ 0` makes 0 of -0, which no integer on the wire is.
      const body: UserBody = {
        kind: 'write',
        op: 'incr',
        sequence: 0,
        notAfter: 0,
        key: bytes,
        slot: slotOf(bytes),
        by: by + 0,
      }
      return this.#operations.run(body, options, ({ result }) => {
        if (result.type === 'counted') return result.integer
        throw result.type === 'overflow' ? overflow(by) : notANumber()
      })
    })
  }

  async getMany<V = unknown, K extends Key = string>(
    keys: Iterable<K>,
    options: ReadOptions = {},
  ): Promise<Map<K, V>> {
    const wanted = [...new Set(keys)]
    // Options and every key are checked before the first one is asked for.
    relaxedReadOf(options)
    for (const key of wanted) keyBytes(key)
    const entries = await Promise.all(wanted.map((key) => this.getEntry<V>(key, options)))
    const hits = new Map<K, V>()
    for (const [index, key] of wanted.entries()) {
      const entry = entries[index]
      if (entry !== undefined) hits.set(key, entry.value)
    }
    return hits
  }

  async setMany<K extends Key = string>(
    entries: Iterable<readonly [K, unknown]>,
    options: SetManyOptions = {},
  ): Promise<Map<K, Written | QuorateError>> {
    // A mistake of the call, not of one of its keys.
    ttlOf(options)
    const wanted = [...new Map(entries)]
    const results = await Promise.all(
      wanted.map(async ([key, value]) => [key, await settled(this.set(key, value, options))] as const),
    )
    return new Map(results)
  }

  shardMap(): ShardMap {
    const { map } = this.#options.topology
    if (map === null) throw new Error('who has connected knows a map')
    return map
  }

  async delMany<K extends Key = string>(
    keys: Iterable<K>,
    options: OperationOptions = {},
  ): Promise<Map<K, boolean | QuorateError>> {
    const { timeout, signal, observer } = options
    const each = {
      ...(timeout === undefined ? {} : { timeout: checkedTimeout(timeout, timeout) }),
      ...(signal === undefined ? {} : { signal }),
      ...(observer === undefined ? {} : { observer }),
    }
    const results = await Promise.all(
      [...new Set(keys)].map(async (key) => [key, await settled(this.del(key, each))] as const),
    )
    return new Map(results)
  }

  async update<V = unknown>(
    key: Key,
    change: (value: V | undefined) => V | undefined | PromiseLike<V | undefined>,
    options: UpdateOptions = {},
  ): Promise<Updated<V>> {
    const { ttl, attempts } = options
    // Mistakes of the call are told before the function runs.
    const checked = { ttl: ttl === undefined ? undefined : checkedTtl(ttl), attempts }
    const timeoutMs = checkedTimeout(options.timeout, this.#options.timeoutMs)
    const access = this.#access<V>(keyBytes(key), options)
    return this.#options.spans.run({ timeoutMs, signal: options.signal }, (span) =>
      updateKey(access, change, checked, span),
    )
  }

  keyspace<V>(prefix: string, options: KeyspaceOptions = {}): Keyspace<V> {
    checkedPrefix(prefix)
    const { ttl, codec } = options
    if (ttl !== undefined) checkedTtl(ttl)
    const cache =
      codec === undefined ? this : new QuorateCache({ ...this.#options, codec: resolveCodec(codec) })
    return new PrefixedCache<V>(cache, prefix, ttl)
  }

  async health(options: OperationOptions = {}): Promise<Health> {
    return healthOf(await this.status(options), this.#options.topology)
  }

  topology(): TopologyView {
    return topologyView(this.#options.topology)
  }

  on<Type extends keyof ClientEvents>(type: Type, listener: Listener<Type>): () => void {
    return this.#options.events.on(type, listener)
  }

  async getOrSet<V = unknown>(key: Key, loader: Loader<V>, options: GetOrSetOptions = {}): Promise<V> {
    const { timeoutMs: timeoutDefault, spans, revalidations } = this.#options
    const times = fillTimes(options, checkedTimeout(options.timeout, timeoutDefault))
    const bytes = keyBytes(key)
    const access = this.#access<V>(bytes, options)
    const leaseKey = leaseKeyOf(bytes)
    const stale = (seen: Seen<V>): void => {
      if (leaseKey === null) return
      const lease = this.#access(leaseKey, options)
      revalidations.start(seen, { key: bytes, access, lease, loader, times })
    }
    return spans.run({ timeoutMs: times.timeoutMs, signal: options.signal }, (span) =>
      getOrSet({ access, loader, times, stale }, span),
    )
  }

  /** `observer` hears of every operation that the key's user did not start one by one. */
  #access<V>(key: Uint8Array, { observer }: OperationOptions): SeenKey<V> {
    const heard = observer === undefined ? {} : { observer }
    const body: UserBody = { kind: 'read', op: 'get', key, slot: slotOf(key), how: null }
    return {
      see: (share) => this.#operations.run(body, { ...share, ...heard }, this.#seen as AnswerMap<Seen<V>>),
      replace: ({ version }, value, share) =>
        this.set(key, value, { ...share, ...heard, ...asSeen(version) }),
      hold: async ({ version, t }, leaseMs, share) => {
        const value = placeholder(t + leaseMs)
        const condition = conditionOf(asSeen(version))
        const result = await this.#set(key, value, condition, { ...share, ...heard, ttl: leaseMs })
        return 'applied' in result ? result : { applied: true, ...result }
      },
      remove: (version) => this.del(key, { ...heard, ifVersion: version }),
    }
  }

  status(options: OperationOptions = {}): Promise<readonly NodeReport[]> {
    return askEveryNode(this.#options, options)
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    this.#operations.close()
    this.#options.spans.close()
    await closeClient(this.#options)
    this.#options.events.emit('close', { type: 'close' })
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  // One function of each kind for all operations: nothing is made per operation but its call and its promise.

  readonly #seenValue = ({ result }: Applied): unknown =>
    result.type === 'entry' ? this.#value(result.value) : undefined

  readonly #seenEntry = ({ result }: Applied, age: Age): Entry | undefined => {
    if (result.type !== 'entry') return undefined
    const { version, expiresAt } = result
    const value = this.#value(result.value)
    if (value === undefined) return undefined
    const entry = { value, version, expiresAt: expiresAt === 0 ? undefined : expiresAt }
    return typeof age === 'number' ? { ...entry, age } : entry
  }

  readonly #seen = ({ result, position: { t } }: Applied): Seen => {
    if (result.type !== 'entry') return { version: 0, value: undefined, stored: null, expiresAt: 0, t }
    const { version, expiresAt, value } = result
    return { version, value: this.#value(value), stored: value, expiresAt, t }
  }

  readonly #conditional = (answer: Applied): ConditionalResult => {
    const { result } = answer
    if (result.type === 'lost') {
      const { version, value, valueOmitted } = result
      const seen = value === null ? undefined : this.#value(value)
      return { applied: false, version, value: seen, ...(valueOmitted ? { valueOmitted } : {}) }
    }
    if (result.type === 'deleted' && !result.existed) return { applied: false, version: 0, value: undefined }
    return { applied: true, version: versionOf(answer) }
  }

  /** What somebody is loading is not there yet. */
  #value(value: Value): unknown {
    if (value.type === 'bytes' && isPlaceholder(value.bytes)) return undefined
    return decodeUserValue(value, this.#options.codec)
  }
}

/** What is wrong before an operation starts rejects its promise, as everything later does. */
function started<T>(start: () => Promise<T>): Promise<T> {
  try {
    return start()
  } catch (error) {
    return Promise.reject(error)
  }
}

function asSeen(version: number): Pick<SetOptions, 'ifVersion' | 'ifAbsent'> {
  return version === 0 ? { ifAbsent: true } : { ifVersion: version }
}

/** Keys of a batch fail on their own. */
async function settled<T>(promise: Promise<T>): Promise<T | QuorateError> {
  try {
    return await promise
  } catch (error) {
    if (error instanceof QuorateError) return error
    throw error
  }
}

function readOf(key: Key, options: ReadOptions): UserBody {
  const bytes = keyBytes(key)
  return { kind: 'read', op: 'get', key: bytes, slot: slotOf(bytes), how: relaxedReadOf(options) }
}

const written = (answer: Applied): Written => ({ version: versionOf(answer) })
const existed = ({ result }: Applied): boolean => result.type === 'deleted' && result.existed
const touched = ({ result }: Applied): boolean => result.type === 'touched' && result.version > 0

/** @throws QuorateError `KEY_INVALID`, `not-done`. A copy: the caller may change its array while a retry needs it. */
function keyBytes(key: Key): Uint8Array {
  if (!(key instanceof Uint8Array)) return encodeKey(key)
  assertKey(key)
  return new Uint8Array(key)
}

/** A write's position is its own version; a deletion's result does not repeat it. */
function versionOf({ result, position }: Applied): number {
  return result.type === 'written' || result.type === 'touched' ? result.version : position.version
}

function notANumber(): QuorateError {
  return new QuorateError('NOT_A_NUMBER', 'not-done', 'the value is no integer', {
    hint: 'only keys that were set to a safe integer, or never set, can be counted',
  })
}

function overflow(by: number): QuorateError {
  return new QuorateError('OVERFLOW', 'not-done', `adding ${by} would leave the safe integers`)
}
