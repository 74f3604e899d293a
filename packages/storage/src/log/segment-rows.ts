// What the next segment's preamble says: every replica as the records written so far left it.
import type { HardState } from '@quorate/raft'
import type { ReplicaKey } from './record.ts'
import type { ReplicaRow, StoredRecord } from './record-codec.ts'
import type { ReplicaLog } from './replica-log.ts'

interface Row {
  readonly key: ReplicaKey
  readonly row: ReplicaRow
  readonly hardState: HardState
}

const NO_VOTE: HardState = { currentTerm: 0, votedFor: null }
const NEW_ROW: ReplicaRow = { state: 'live', reason: null, configuration: new Uint8Array(0), compacted: null }

/**
 * Follows the log at its end, whereas the table already knows what is queued: a preamble that ran ahead of the records
 * behind it would be contradicted by them after a crash. Without it, deleting a segment would delete a quiet group's
 * term and vote (A4).
 */
export class SegmentRows {
  readonly #rows = new Map<number, Row>()
  #nodeDamage: string | null = null

  /** Takes over what recovery found. */
  load(replicas: Iterable<ReplicaLog>, nodeDamage: string | null): void {
    this.#nodeDamage = nodeDamage
    for (const { group, incarnation, row, hardState } of replicas) {
      this.#rows.set(group, { key: { group, incarnation }, row, hardState })
    }
  }

  /** A record was written. */
  note(record: StoredRecord): void {
    switch (record.kind) {
      case 'entries':
      case 'moved':
      case 'replica':
        return
      case 'nodeDamaged':
        this.#nodeDamage = record.reason
        return
      case 'created':
        return this.#put(
          record,
          { ...NEW_ROW, configuration: Uint8Array.from(record.configuration) },
          NO_VOTE,
        )
      case 'condemned': {
        const known = this.#known(record)
        if (known !== null && known.row.state !== 'live') return
        return this.#put(
          record,
          { ...(known?.row ?? NEW_ROW), state: 'condemned', reason: record.reason },
          known?.hardState ?? NO_VOTE,
        )
      }
      case 'hardState':
      case 'removed':
      case 'compacted':
      case 'reset': {
        const known = this.#known(record)
        if (known === null) return
        if (record.kind === 'hardState') return this.#put(record, known.row, record.hardState)
        if (record.kind === 'removed')
          return this.#put(record, { ...known.row, state: 'removed' }, known.hardState)
        const { index, term, checkpoint, configurationIndex } = record
        const configuration = Uint8Array.from(record.configuration)
        const compacted = { index, term, checkpoint, configurationIndex, configuration }
        return this.#put(record, { ...known.row, compacted }, known.hardState)
      }
    }
  }

  /** The preamble. */
  records(): StoredRecord[] {
    const records: StoredRecord[] = []
    if (this.#nodeDamage !== null) {
      records.push({ kind: 'nodeDamaged', group: 0, incarnation: 0, reason: this.#nodeDamage })
    }
    for (const { key, row, hardState } of this.#rows.values()) {
      records.push({ kind: 'replica', ...key, ...row }, { kind: 'hardState', ...key, hardState })
    }
    return records
  }

  #known(key: ReplicaKey): Row | null {
    const known = this.#rows.get(key.group)
    return known?.key.incarnation === key.incarnation ? known : null
  }

  #put({ group, incarnation }: ReplicaKey, row: ReplicaRow, hardState: HardState): void {
    const known = this.#rows.get(group)
    if (known !== undefined && known.key.incarnation > incarnation) return
    this.#rows.set(group, { key: { group, incarnation }, row, hardState })
  }
}
