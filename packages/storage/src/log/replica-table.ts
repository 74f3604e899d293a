// All replicas of the log, changed by records: the same rules when a record is appended and when it is read back.
import assert from 'node:assert/strict'
import type { HardState } from '@quorate/raft'
import type { LogEntry, ReplicaKey } from './record.ts'
import type { StoredRecord } from './record-codec.ts'
import { ReplicaLog } from './replica-log.ts'
import { createRun, factsOf, type RecordPlace, type Run } from './run.ts'
import type { TailCache } from './tail-cache.ts'

/** What became of a record: why it cannot be, or the run that its entries are. */
export type Applied = { readonly refused: string } | { readonly refused: null; readonly run: Run | null }

const DONE: Applied = { refused: null, run: null }

export class ReplicaTable {
  /** Why nothing on this node is to be believed; null if nothing is wrong. */
  nodeDamage: string | null = null
  /** True while recovery reads: entries may come with gaps, and facts about them are kept. */
  recovering = false
  readonly #replicas = new Map<number, ReplicaLog>()
  readonly #tail: TailCache
  readonly #dropped: (run: Run) => void

  /** `dropped` hears of every run that leaves a log. */
  constructor(tail: TailCache, dropped: (run: Run) => void) {
    this.#tail = tail
    this.#dropped = dropped
  }

  get(group: number): ReplicaLog | undefined {
    return this.#replicas.get(group)
  }

  /** In the order of their groups. */
  all(): ReplicaLog[] {
    return [...this.#replicas.values()].toSorted((a, b) => a.group - b.group)
  }

  values(): Iterable<ReplicaLog> {
    return this.#replicas.values()
  }

  /**
   * Changes the table by a record that lies at `place` (null: still to be written). One that is refused changes nothing.
   */
  apply(record: StoredRecord, place: RecordPlace | null): Applied {
    switch (record.kind) {
      case 'created':
        return this.#create(record, record.configuration)
      case 'replica':
        return this.#applyRow(record)
      case 'condemned':
        this.condemn(record, record.reason)
        return DONE
      case 'nodeDamaged':
        this.nodeDamage = record.reason
        return DONE
      case 'entries':
      case 'moved':
      case 'hardState':
      case 'compacted':
      case 'reset':
      case 'removed':
        return this.#applyToReplica(record, place)
    }
  }

  /** Marks a replica, known or not; one that was removed or has a successor is left alone. */
  condemn(key: ReplicaKey, reason: string): void {
    const known = this.#replicas.get(key.group)
    if (known !== undefined && known.incarnation > key.incarnation) return
    const replica = known?.incarnation === key.incarnation ? known : this.#replace(key, new Uint8Array(0))
    if (replica.state !== 'live') return
    replica.state = 'condemned'
    replica.reason = reason
  }

  #create(key: ReplicaKey, configuration: Uint8Array): Applied {
    const known = this.#replicas.get(key.group)
    if (known !== undefined) {
      if (known.incarnation >= key.incarnation)
        return refused(`${name(key)} is created behind incarnation ${known.incarnation}`)
      if (known.state === 'live')
        return refused(`${name(key)} is created while incarnation ${known.incarnation} lives`)
    }
    this.#replace(key, Uint8Array.from(configuration))
    return DONE
  }

  #replace(key: ReplicaKey, configuration: Uint8Array): ReplicaLog {
    this.#drop(this.#replicas.get(key.group)?.clear() ?? [])
    const replica = new ReplicaLog(key, configuration)
    this.#replicas.set(key.group, replica)
    return replica
  }

  /** A segment tells each replica as of its start: news only where recovery begins with it, else it must agree. */
  #applyRow(row: StoredRecord & { readonly kind: 'replica' }): Applied {
    const known = this.#replicas.get(row.group)
    if (known !== undefined && known.incarnation > row.incarnation)
      return refused(`${name(row)} is told behind its successor`)
    const replica =
      known?.incarnation === row.incarnation ? known : this.#replace(row, Uint8Array.from(row.configuration))
    if (replica.state === 'live') {
      replica.state = row.state
      replica.reason = row.reason
    }
    if (row.state === 'removed') this.#drop(replica.clear())
    const index = row.compacted?.index ?? 0
    if (row.compacted !== null && index >= replica.firstIndex) {
      replica.compacted = { ...row.compacted, configuration: Uint8Array.from(row.compacted.configuration) }
      this.#drop(replica.truncateTo(index))
    }
    return DONE
  }

  #applyToReplica(
    record: StoredRecord & {
      readonly kind: 'entries' | 'moved' | 'hardState' | 'compacted' | 'reset' | 'removed'
    },
    place: RecordPlace | null,
  ): Applied {
    const replica = this.#replicas.get(record.group)
    if (replica?.incarnation !== record.incarnation) {
      // Hard states come last in a batch: the replica may have ended in it.
      const over =
        record.kind === 'hardState' && replica !== undefined && replica.incarnation > record.incarnation
      return over ? DONE : refused(`${name(record)} is unknown to a record of kind ${record.kind}`)
    }
    if (replica.state === 'removed')
      return record.kind === 'hardState' ? DONE : refused(`${name(record)} was removed`)
    switch (record.kind) {
      case 'entries':
        return this.#appendEntries(replica, record.entries, place)
      case 'moved': {
        if (record.entries.every((entry) => entry.index < replica.firstIndex)) return DONE
        const run = this.#newRun(record.entries, place)
        this.#drop(replica.overlay(run))
        this.#drop(replica.truncateTo(replica.firstIndex - 1))
        return { refused: null, run }
      }
      case 'hardState':
        return applyHardState(replica, record.hardState)
      case 'removed':
        replica.state = 'removed'
        this.#drop(replica.clear())
        return DONE
      case 'compacted':
      case 'reset': {
        const { index, term, checkpoint, configuration, configurationIndex } = record
        if (index < replica.firstIndex - 1)
          return refused(`${name(record)}: ${record.kind} goes back to ${index}`)
        if (record.kind === 'compacted' && index > replica.lastIndex && !this.recovering) {
          return refused(`${name(record)}: compacted beyond its log`)
        }
        const own = Uint8Array.from(configuration)
        replica.compacted = { index, term, checkpoint, configurationIndex, configuration: own }
        this.#drop(record.kind === 'reset' ? replica.clear() : replica.truncateTo(index))
        return DONE
      }
    }
  }

  #appendEntries(replica: ReplicaLog, entries: readonly LogEntry[], place: RecordPlace | null): Applied {
    const first = entries[0]?.index
    if (first === undefined) return refused(`${name(replica)}: a record without entries`)
    if (entries.some((entry, position) => entry.index !== first + position))
      return refused(`${name(replica)}: indexes with gaps`)
    if (first < replica.firstIndex)
      return refused(`${name(replica)}: entry ${first} lies behind the compaction point`)
    // What lies between may come later, written again (`moved`): recovery looks for gaps at the end.
    if (first > replica.lastIndex + 1 && !this.recovering) {
      return refused(`${name(replica)}: entry ${first} does not follow ${replica.lastIndex}`)
    }
    this.#drop(replica.truncateFrom(first))
    const run = this.#newRun(entries, place)
    replica.runs.push(run)
    return { refused: null, run }
  }

  #newRun(entries: readonly LogEntry[], place: RecordPlace | null): Run {
    const run = createRun(entries, place)
    if (this.recovering) run.facts = factsOf(entries)
    if (run.entries !== null) this.#tail.add(run)
    return run
  }

  #drop(runs: readonly Run[]): void {
    for (const run of runs) {
      this.#tail.drop(run)
      this.#dropped(run)
    }
  }
}

function applyHardState(replica: ReplicaLog, next: HardState): Applied {
  const { currentTerm, votedFor } = replica.hardState
  if (next.currentTerm < currentTerm)
    return refused(`${name(replica)}: term goes back from ${currentTerm} to ${next.currentTerm}`)
  if (next.currentTerm === currentTerm && votedFor !== null && next.votedFor !== votedFor) {
    return refused(
      `${name(replica)}: vote of term ${currentTerm} changes from ${votedFor} to ${next.votedFor}`,
    )
  }
  assert(Number.isSafeInteger(next.currentTerm))
  replica.hardState = next
  return DONE
}

function refused(reason: string): Applied {
  return { refused: reason }
}

function name(key: ReplicaKey): string {
  return `group ${key.group} incarnation ${key.incarnation}`
}
