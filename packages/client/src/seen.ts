// A key as a read finds it, with what the read of it told; and the write that goes by it.
import type { Value } from '@quorate/protocol'
import type { ConditionalResult } from './cache.ts'
import type { OperationOptions, TtlOption } from './options.ts'

export interface Seen<V = unknown> {
  /** 0: there is no entry. */
  readonly version: number
  /** Undefined: a miss, though there is an entry where somebody is filling the key. */
  readonly value: V | undefined
  /** As it is stored; null if there is no entry. */
  readonly stored: Value | null
  /** Of the log clock, ms; 0 = never. */
  readonly expiresAt: number
  /** The log time that it was read at, ms. */
  readonly t: number
}

export interface SeenKey<V = unknown> {
  see(options: OperationOptions): Promise<Seen<V>>
  /** Writes if the key is as it was seen. */
  replace(
    seen: Pick<Seen, 'version'>,
    value: unknown,
    options: OperationOptions & TtlOption,
  ): Promise<ConditionalResult>
  /** Puts a placeholder there for so long from the look on, if the key is as it was seen. */
  hold(
    seen: Pick<Seen, 'version' | 't'>,
    leaseMs: number,
    options: OperationOptions,
  ): Promise<ConditionalResult>
  /** Deletes the entry of this version. */
  remove(version: number): Promise<unknown>
}
