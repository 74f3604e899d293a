// The client's own call that opens a session for a pool; no user waits for it.
import type { GroupId } from '@quorate/protocol'
import { Call, type Failure } from './call.ts'
import type { SessionPool } from './session-pool.ts'

export interface OpenCallOptions {
  readonly now: number
  readonly timeoutMs: number
  /** Hears of the end once; `failure` is null if a session was opened. */
  readonly ended: (pool: SessionPool, failure: Failure | null) => void
}

export class OpenCall extends Call {
  readonly pool: SessionPool
  readonly #ended: OpenCallOptions['ended']

  constructor(pool: SessionPool, { now, timeoutMs, ended }: OpenCallOptions) {
    super({ kind: 'open', op: 'open', isConditional: false, how: null, now, timeoutMs })
    this.pool = pool
    this.#ended = ended
  }

  groupIn(): GroupId {
    return this.pool.group
  }

  applied(): void {
    this.#ended(this.pool, null)
  }

  failed(failure: Failure): void {
    this.#ended(this.pool, failure)
  }
}
