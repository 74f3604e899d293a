import type { Configuration, ReplicaId } from './configuration.ts'
import type { Message } from './message.ts'

/** Every input says what time it is and brings its chance, so that the core needs neither clock nor generator. */
export interface Moment {
  /** Monotonic milliseconds of this host. */
  readonly now: number
  /** Uniform in [0, 1); fresh for every input. */
  readonly draw: number
}

export type Input = Moment &
  (
    | { readonly type: 'tick' }
    | { readonly type: 'message'; readonly from: ReplicaId; readonly message: Message }
    /** The pair heartbeat names this group: `from` leads it in `term`; `commitIndex` is already capped by matchIndex. */
    | {
        readonly type: 'heartbeat'
        readonly from: ReplicaId
        readonly term: number
        readonly commitIndex: number
      }
    /** The leader's node rebooted, was lost, or no longer lists this group. */
    | { readonly type: 'leaderLost'; readonly from: ReplicaId }
    /** `from` has confirmed this leader in `term` for every read round up to `round`; the heartbeat left at `sentAt`. */
    | {
        readonly type: 'confirmed'
        readonly from: ReplicaId
        readonly term: number
        readonly round: number
        readonly sentAt: number
      }
    /** Append one entry of `bytes`. Answered by `appended` or `dropped` in the effects of this step. */
    | { readonly type: 'propose'; readonly bytes: number }
    /** Change membership to `voters` and `learners` (joint if more than one voter differs; always allowed to be joint). */
    | {
        readonly type: 'proposeConfiguration'
        readonly voters: readonly ReplicaId[]
        readonly learners: readonly ReplicaId[]
      }
    | { readonly type: 'transferLeadership'; readonly to: ReplicaId }
    /** Step down without a successor (stuck disk, stopped apply). */
    | { readonly type: 'stepDown' }
    /** Linearizable reads that `tag` stands for arrived; `round` is the first read round that begins after them. */
    | { readonly type: 'read'; readonly round: number; readonly tag: number }
    /** The persist effect with this number, and all before it, are durable. */
    | { readonly type: 'persisted'; readonly number: number }
    /** The host's state machine has applied up to `index`. */
    | { readonly type: 'applied'; readonly index: number }
    /** The host dropped the log up to `index`, which a durable checkpoint covers. */
    | { readonly type: 'compacted'; readonly index: number }
    /** The bytes of a `send` were no longer there (compacted): the peer needs a snapshot. */
    | { readonly type: 'unavailable'; readonly peer: ReplicaId }
    /** A snapshot from a leader is durably installed here and replaces the log; answered to `from` when given. */
    | {
        readonly type: 'snapshotInstalled'
        readonly from: ReplicaId | null
        readonly index: number
        readonly term: number
        readonly configuration: Configuration
        /** Index of that configuration's entry; `index` if not given. */ readonly configurationIndex?: number
      }
    /** Outcome of a snapshot that this leader's host sent to `peer`. `index` is the snapshot's when it arrived. */
    | { readonly type: 'snapshotSent'; readonly peer: ReplicaId; readonly index: number }
    | { readonly type: 'snapshotFailed'; readonly peer: ReplicaId }
  )
