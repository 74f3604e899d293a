/**
 * Linearizable reads of a shard (architecture.md, 4; rule 27). The host has confirmed a read position and applied up to it:
 *
 *     let step = state.beginRead(keys, t)
 *     while (step.type === 'fetch') step = state.completeRead(step.ticket, await store.getMany(..., step.rows))
 *     step.answers
 *
 * A step may also be `tick`: an entry expires between the log clock and the read's `t`, and nobody may be told so before the
 * log says it. The host commits an entry with a stamp at or above that `t`, and begins again with the same `t`.
 *
 * All keys of one read are evaluated at one moment: that of the call that returned the answers.
 */
import type { Answer } from '@quorate/protocol'
import type { Known } from './entry.ts'
import type { RowKey } from './replicated-state.ts'

export type ReadStep =
  | { readonly type: 'answers'; readonly answers: readonly Answer[] }
  | { readonly type: 'tick'; readonly t: number }
  | { readonly type: 'fetch'; readonly ticket: ReadTicket; readonly rows: readonly RowKey[] }

/** A read that waits for rows; used once. Opaque to the host. */
export interface ReadTicket {
  /** The state object that made it: another one (after an install) has another generation. */
  readonly owner: object
  readonly t: number
  readonly places: readonly ReadPlace[]
  /** Places whose rows were asked for, in that order. */
  readonly missing: readonly ReadPlace[]
  /** What must not have changed when the rows arrive. */
  readonly releases: number
  readonly slotStateChanges: number
}

export interface ReadPlace {
  readonly key: Uint8Array
  readonly hash: number
  readonly slot: number
  /** What memory held when the ticket was made; undefined = the store must say. */
  readonly known: Known | undefined
}
