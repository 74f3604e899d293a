import type { Configuration, ReplicaId } from './configuration.ts'
import type { Effects, HardState, Role } from './effects.ts'
import type { RaftImage } from './image.ts'
import type { Input } from './input.ts'

/** What the host found on its disk. Everything in it is durable. */
export interface Recovered {
  readonly hardState: HardState
  /** The log before its first entry: index and term of the last compacted entry (0, 0 for a new log). */
  readonly compacted: { readonly index: number; readonly term: number }
  /** Runs of equal term that cover compacted.index + 1 .. lastIndex, ascending. */
  readonly terms: readonly { readonly firstIndex: number; readonly term: number }[]
  readonly lastIndex: number
  /** The configuration in force at `compacted.index` (or the initial one), then each later one in the log, ascending. */
  readonly configurations: readonly { readonly index: number; readonly configuration: Configuration }[]
  /** At least the applied index of the last checkpoint: known to be committed. */
  readonly commitIndex: number
  readonly appliedIndex: number
}

export interface RaftOptions {
  readonly self: ReplicaId
  readonly recovered: Recovered
  /** Monotonic ms of the process start: for the longest election timeout after it this replica neither votes nor campaigns (time.md, leases), except alone or on a transfer. */
  readonly startedAt: number
  readonly draw: number
  readonly limits?: Partial<RaftLimits>
}

export interface RaftLimits {
  /** Default 300. */
  readonly electionTimeoutMsMin: number
  /** Default 600. */
  readonly electionTimeoutMsMax: number
  /** A leader without contact to a quorum for this long steps down. Default 600. */
  readonly checkQuorumMs: number
  /** Appends in flight to one peer. Default 4. */
  readonly inflightAppends: number
  /** Payload bytes in flight to one peer; the first append is admitted whatever its size. Default 1 MiB. */
  readonly inflightBytes: number
  /** Payload bytes of one append; the first entry is admitted whatever its size. Default 1 MiB. */
  readonly appendBytes: number
  /** Payload bytes appended and not committed; the first entry is admitted whatever its size. Default 16 MiB. */
  readonly uncommittedBytes: number
}

/** One replica's consensus. Pure: the same inputs give the same effects. `step` throws `InvariantViolation` where an invariant breaks. */
export interface Raft {
  readonly self: ReplicaId
  readonly role: Role
  readonly currentTerm: number
  readonly leader: ReplicaId | null
  readonly commitIndex: number
  readonly lastIndex: number
  /** The newest configuration in the log, committed or not. */
  readonly configuration: Configuration
  /** Index of that configuration's entry. */
  readonly configurationIndex: number
  /** The configuration in force at `index`, which is not compacted, and the index of its entry. */
  configurationAt(index: number): { readonly index: number; readonly configuration: Configuration }
  /** Term of the entry at `index`, null outside the log. */
  termAt(index: number): number | null
  /** The last index durable here. */
  readonly durableIndex: number
  /** Term and vote as last persisted durably; a pair's answer confirms only a durable term. */
  readonly durableTerm: number
  /** On a leader: the last index known durable on `peer`; null elsewhere or for a stranger. */
  matchIndexOf(peer: ReplicaId): number | null
  /** On a leader: true once an entry of its term is committed. */
  readonly servesReads: boolean
  /**
   * On a leader: the send time, in monotonic ms of this host, of the newest heartbeat that a quorum (of both halves of a
   * joint configuration) has confirmed; `now`, the present, stands for the leader's own voice. `now` less this is the
   * `confirmedAge` of stale reads. Null elsewhere, before an entry of the term is committed, and before any confirmation.
   */
  confirmedSentAt(now: number): number | null
  /**
   * On a leader: until when, in monotonic ms of this host, nobody else can be elected: `confirmedSentAt` and a quarter of
   * the shortest election timeout (dissertation 6.4.1). 0 where there is no lease: elsewhere, before an entry of the term
   * is committed, once a transfer began in the term, and on a leader that is no voter. To be asked at the moment of the
   * read, not remembered; stalls, drifting clocks and the wait for `applied` are the host's part.
   */
  leaseUntil(now: number): number
  /** Reads that wait for a round to be confirmed: only they make an input `confirmed` urgent. */
  readonly readsWaiting: number
  /**
   * Monotonic ms of the earliest tick that can have an effect whatever is heard until then (an election, a retry, the
   * end of a transfer); Infinity if none can. Holds until the next step; a tick before it changes nothing.
   */
  readonly nextTickAt: number
  /**
   * Monotonic ms from which a tick gives up the leader that is followed, or the own leadership, unless `heartbeat` or
   * `confirmed` is heard meanwhile; Infinity where there is none. A host that knows of later ones may step them late,
   * before any other input and with the `now` at which they came: nothing else differs.
   */
  readonly silentAt: number
  /** A copy of everything that later steps depend on: `raftFromImage` goes on from it. */
  image(): RaftImage
  step(input: Input): Effects
}
