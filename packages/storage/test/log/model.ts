// What a log must hold after the first n records of a workload: the oracle of the crash tests.
import type { LogRecord } from '../../src/log/record.ts'
import type { Storage } from '../../src/storage.ts'

interface ModelReplica {
  incarnation: number
  state: string
  term: number
  vote: number | null
  compactedIndex: number
  entries: string[]
}

/** One line per group. */
export function modelAfter(records: readonly LogRecord[]): string[] {
  const groups = new Map<number, ModelReplica>()
  for (const record of records) {
    const replica = groups.get(record.group)
    if (record.kind === 'created') {
      const { group, incarnation } = record
      groups.set(group, { incarnation, state: 'live', term: 0, vote: null, compactedIndex: 0, entries: [] })
    } else if (replica !== undefined) change(replica, record)
  }
  return [...groups]
    .toSorted(([a], [b]) => a - b)
    .map(([group, replica]) => line(group, replica, replica.entries))
}

function change(replica: ModelReplica, record: LogRecord): void {
  switch (record.kind) {
    case 'entries': {
      const first = record.entries[0]?.index ?? 0
      const keep = replica.entries.slice(0, first - replica.compactedIndex - 1)
      replica.entries = [...keep, ...record.entries.map(({ index, term }) => `${index}/${term}`)]
      return
    }
    case 'hardState':
      replica.term = record.hardState.currentTerm
      replica.vote = record.hardState.votedFor
      return
    case 'compacted':
      replica.entries = replica.entries.slice(record.index - replica.compactedIndex)
      replica.compactedIndex = record.index
      return
    case 'reset':
      replica.entries = []
      replica.compactedIndex = record.index
      return
    case 'removed':
    case 'condemned':
      replica.state = record.kind
      if (record.kind === 'removed') replica.entries = []
      return
    case 'created':
      return
  }
}

/** The same lines of a storage that was opened, its entries read through the port. */
export function foundIn(storage: Storage): string[] {
  return storage.replicas.map(({ log }) => {
    const compactedIndex = log.compacted?.index ?? 0
    const all = storage.log.entries(
      log.group,
      compactedIndex + 1,
      Number.MAX_SAFE_INTEGER,
      Number.MAX_SAFE_INTEGER,
    )
    const { currentTerm: term, votedFor: vote } = log.hardState
    const { incarnation } = log
    const state = log.reason === null ? log.state : `${log.state} (${log.reason})`
    const entries = (all ?? []).map(({ index, term: entryTerm }) => `${index}/${entryTerm}`)
    return line(log.group, { incarnation, state, term, vote, compactedIndex, entries }, entries)
  })
}

function line(group: number, replica: ModelReplica, entries: readonly string[]): string {
  const { incarnation, state, term, vote, compactedIndex } = replica
  return `${group}.${incarnation} ${state} term ${term} vote ${vote} behind ${compactedIndex}: ${entries.join(' ')}`
}
