// The cache as its user sees it.
import type { QuorateError, ShardMap } from '@quorate/protocol'
import type { ClientEvents, Listener } from './events.ts'
import type { GetOrSetOptions, Loader } from './fill/options.ts'
import type { Health } from './health.ts'
import type { Keyspace, KeyspaceOptions } from './keyspace.ts'
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
import type { TopologyView } from './topology-view.ts'

export interface Written {
  readonly version: number
}

/** What became of a conditional write. A lost one changed nothing and returns what it saw. */
export type ConditionalResult<Value = unknown> =
  | { readonly applied: true; readonly version: number }
  | {
      readonly applied: false
      /** Of the entry seen; 0 if there was none. */
      readonly version: number
      /** The value seen; undefined if there was none. */
      readonly value: Value | undefined
      /** A retry was answered from memory, where large values are not kept: read the key to see its value. */
      readonly valueOmitted?: true
    }

export interface Entry<Value = unknown> {
  readonly value: Value
  /** ETag and fencing token: grows with every change of the key, for ever. */
  readonly version: number
  /** From this time of the shard's log clock on it is gone, ms; undefined = never. */
  readonly expiresAt: number | undefined
  /** Stale reads alone: it was current at most so many ms before the call. Missing where that cannot be told. */
  readonly age?: number
}

/** What became of an `update`. */
export interface Updated<Value = unknown> {
  /** False: the function returned undefined, and nothing was written. */
  readonly applied: boolean
  /** Of the entry as it is now; 0 if there is none. */
  readonly version: number
  readonly value: Value | undefined
}

/** What one node says of itself, or why it could not be asked. */
export interface NodeReport {
  /** The operator's name, or the address where the map has none. */
  readonly name: string
  readonly clientAddress: string
  /** The node's status document (`quorate status -o json`), parsed. */
  readonly status: Readonly<Record<string, unknown>> | null
  readonly error: QuorateError | null
}

/**
 * Every operation is linearizable unless a read asks for less, ends by its deadline, and rejects with a `QuorateError` whose `outcome` is honest:
 * `not-done` is never followed by the effect (sessions.md, Outcomes). Reads have no effect and are always `not-done`.
 */
export interface Cache extends AsyncDisposable {
  /** The value, or undefined on a miss. */
  get<Value = unknown>(key: Key, options?: ReadOptions): Promise<Value | undefined>
  getEntry<Value = unknown>(key: Key, options?: ReadOptions): Promise<Entry<Value> | undefined>
  set(key: Key, value: unknown, options?: UnconditionalSetOptions): Promise<Written>
  set<Value = unknown>(key: Key, value: Value, options: SetOptions): Promise<ConditionalResult<Value>>
  /** True if it existed. */
  del(key: Key, options?: UnconditionalOptions): Promise<boolean>
  del<Value = unknown>(key: Key, options: DelOptions): Promise<ConditionalResult<Value>>
  /**
   * Gives an entry a new time to live from now on, ms, and a new version; its value stays. True if there was one.
   * `ARGUMENT_INVALID` for a `ttl` that `set` would refuse.
   */
  touch(key: Key, ttl: number, options?: UnconditionalOptions): Promise<boolean>
  touch<Value = unknown>(key: Key, ttl: number, options: DelOptions): Promise<ConditionalResult<Value>>
  /** Lets an entry live on without a deadline. True if there was one, also where it had none to lose. */
  persist(key: Key, options?: UnconditionalOptions): Promise<boolean>
  persist<Value = unknown>(key: Key, options: DelOptions): Promise<ConditionalResult<Value>>
  /**
   * Adds to an integer, whose deadline stays; a missing key counts as 0. Returns the sum. `NOT_A_NUMBER` if the value is no integer,
   * `OVERFLOW` if the sum is no safe integer; both `not-done`.
   */
  incr(key: Key, by?: number, options?: OperationOptions): Promise<number>
  /** The hits. Each key is read on its own, not all at one moment. Rejects if any key could not be read. */
  getMany<Value = unknown, K extends Key = string>(
    keys: Iterable<K>,
    options?: ReadOptions,
  ): Promise<Map<K, Value>>
  /** A result or an error for each key, never rejects for one of them: keys succeed and fail on their own. */
  setMany<K extends Key = string>(
    entries: Iterable<readonly [K, unknown]>,
    options?: SetManyOptions,
  ): Promise<Map<K, Written | QuorateError>>
  /** The newest map of the cluster that this client has heard of: which slot belongs to which shard, and who hosts it. */
  shardMap(): ShardMap
  /** For each key whether it existed, or an error; never rejects for one of them. */
  delMany<K extends Key = string>(
    keys: Iterable<K>,
    options?: OperationOptions,
  ): Promise<Map<K, boolean | QuorateError>>
  /**
   * Writes what `change` makes of the value (undefined on a miss), if nobody else wrote meanwhile; else again, with what is
   * there now. So `change` may run several times and should only compute. If it returns undefined nothing is written. As `set`
   * does, it leaves the entry without a deadline unless `ttl` says another. One `timeout` for all of it. Rejects with what
   * `change` throws; `CONFLICT`, `not-done`, if others came first every time; `unknown` is never tried again.
   */
  update<Value = unknown>(
    key: Key,
    change: (value: Value | undefined) => Value | undefined | PromiseLike<Value | undefined>,
    options?: UpdateOptions,
  ): Promise<Updated<Value>>
  /**
   * The value; on a miss what `loader` brings, which is then kept. At most one loader runs for the key in the whole cluster, as long
   * as none takes longer than its `lease`; everybody else waits for its value. A key that is being loaded is a miss for reads, and an
   * entry for conditions, `del`, `touch` and `incr`; deleting or writing it takes the lease away, and what was loaded before is not kept.
   * One `timeout` for all of it, the loader included. Rejects with what `loader` throws, and the next caller loads; also if
   * the key cannot be read. A value that was loaded and could not be kept is returned all the same.
   */
  getOrSet<Value = unknown>(key: Key, loader: Loader<Value>, options?: GetOrSetOptions): Promise<Value>
  /**
   * The keys that begin with `prefix`, as a cache of values of one type.
   * @throws QuorateError `KEY_INVALID` for a prefix that no key can begin with, `ARGUMENT_INVALID`.
   */
  keyspace<Value>(prefix: string, options?: KeyspaceOptions): Keyspace<Value>
  /** Whether every shard is served, and by whom; asks every node now. Never rejects for a node that is down. */
  health(options?: OperationOptions): Promise<Health>
  /** The nodes and shards as this client knows them now, without asking anybody. */
  topology(): TopologyView
  /** Hears of an event until the function that this returns is called. Nobody has to listen to `error`. */
  on<Type extends keyof ClientEvents>(type: Type, listener: Listener<Type>): () => void
  /** Every node of the map, asked now. */
  status(options?: OperationOptions): Promise<readonly NodeReport[]>
  /** Ends what is under way by its outcome, closes sessions and connections. Idempotent. */
  close(): Promise<void>
}
