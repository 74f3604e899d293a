// A store for express-session that keeps sessions in Quorate.
import { callbackify } from 'node:util'
import type { Cache, Keyspace } from '@quorate/client'
import session from 'express-session'

export interface QuorateSessionStoreOptions {
  /** What its keys begin with in the cluster. Default `session:`. */
  readonly prefix?: string
  /** How long a session without an expiry of its cookie stays, ms from its last change or touch. Default one day. */
  readonly ttl?: number
}

type Callback<Value = unknown> = (error?: unknown, value?: Value) => void

const DAY_MS = 86_400_000
const ignore = (): void => undefined

/**
 * A session lives by the cluster's clock for what was left of its cookie when it was last saved or touched: a clock of a web server decides
 * only how long that is. It neither opens nor closes the cache. Errors are `QuorateError`s, handed to express.
 */
export class QuorateSessionStore extends session.Store {
  readonly #sessions: Keyspace<unknown>
  readonly #ttl: number

  constructor(cache: Cache, { prefix = 'session:', ttl = DAY_MS }: QuorateSessionStoreOptions = {}) {
    super()
    // The keyspace refuses a ttl that is none.
    this.#sessions = cache.keyspace(prefix, { codec: 'json', ttl })
    this.#ttl = ttl
  }

  override get(id: string, callback: Callback<session.SessionData | null>): void {
    callbackify(() => this.#read(id))(callback)
  }

  override set(id: string, data: session.SessionData, callback: Callback = ignore): void {
    callbackify(() => this.#write(id, data))(callback)
  }

  override destroy(id: string, callback: Callback = ignore): void {
    callbackify(() => this.#sessions.del(id))(callback)
  }

  /** Only the time to live changes: what another request wrote meanwhile stays. */
  override touch(id: string, data: session.SessionData, callback: Callback = ignore): void {
    callbackify(() => this.#prolong(id, data))(callback)
  }

  async #read(id: string): Promise<session.SessionData | null> {
    return ((await this.#sessions.get(id)) as session.SessionData | undefined) ?? null
  }

  async #write(id: string, data: session.SessionData): Promise<void> {
    const ttl = this.#ttlOf(data)
    // As it would come back from JSON: dates as text, no properties that are undefined.
    if (ttl > 0) await this.#sessions.set(id, JSON.parse(JSON.stringify(data)) as unknown, { ttl })
    else await this.#sessions.del(id)
  }

  async #prolong(id: string, data: session.SessionData): Promise<void> {
    const ttl = this.#ttlOf(data)
    if (ttl > 0) await this.#sessions.touch(id, ttl)
    else await this.#sessions.del(id)
  }

  /** What is left of its cookie, ms; 0 if nothing is. */
  #ttlOf({ cookie }: session.SessionData): number {
    const { maxAge } = cookie
    return typeof maxAge === 'number' ? Math.max(0, Math.ceil(maxAge)) : this.#ttl
  }
}
