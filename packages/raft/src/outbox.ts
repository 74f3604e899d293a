// What one step has to say: collected while it runs, sealed into `Effects` at its end.
import type { ReplicaId } from './configuration.ts'
import type { DropReason, ReadReady } from './effects.ts'
import type { EntryMeta } from './entry.ts'
import type { Envelope } from './message.ts'

export interface Outbox {
  readonly send: Envelope[]
  readonly sendAfterPersist: Envelope[]
  hardStateChanged: boolean
  /** Consecutive. */
  entries: readonly EntryMeta[]
  readonly appended: EntryMeta[]
  dropped: DropReason | null
  readonly reads: ReadReady[]
  readonly readsDropped: number[]
  readonly snapshotWanted: ReplicaId[]
}

export function newOutbox(): Outbox {
  return {
    send: [],
    sendAfterPersist: [],
    hardStateChanged: false,
    entries: [],
    appended: [],
    dropped: null,
    reads: [],
    readsDropped: [],
    snapshotWanted: [],
  }
}
