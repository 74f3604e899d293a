// From what storage found to a replica that can go on: which log counts, which state it begins with (storage.md, recovery).
import { decodeConfiguration } from '@quorate/protocol'
import type { Configuration, Recovered } from '@quorate/raft'
import type { RecoveredReplica, ReplicaHead } from '@quorate/storage'

/** What the replica goes on with. */
export type Recovery =
  | {
      readonly type: 'go'
      readonly recovered: Recovered
      readonly configuration: Configuration
      readonly configurationIndex: number
    }
  /** The log does not hold what the state has applied: its entries go, and it begins at the state (a `reset` record first). */
  | {
      readonly type: 'beginAtState'
      readonly recovered: Recovered
      readonly configuration: Configuration
      readonly configurationIndex: number
    }
  | { readonly type: 'damaged'; readonly reason: string }

const NOWHERE = { index: 0, term: 0 }

export function recoverReplica(log: RecoveredReplica, head: ReplicaHead | null): Recovery {
  const compacted = log.compacted ?? NOWHERE
  const applied = head === null ? NOWHERE : { index: head.appliedIndex, term: head.appliedTerm }
  if (applied.index < compacted.index)
    return {
      type: 'damaged',
      reason: `the log begins behind ${compacted.index}, the newest checkpoint has applied ${applied.index}`,
    }
  const initial = decodeConfiguration(log.initialConfiguration)
  const configuration = head?.configuration ?? initial
  const configurationIndex = head?.configurationIndex ?? 0
  if (termAt(log, applied.index) !== applied.term)
    return {
      type: 'beginAtState',
      recovered: beginning(log, applied, configuration, configurationIndex),
      configuration,
      configurationIndex,
    }
  const base =
    log.compacted === null
      ? { index: 0, configuration: initial }
      : {
          index: log.compacted.configurationIndex,
          configuration: decodeConfiguration(log.compacted.configuration),
        }
  return {
    type: 'go',
    configuration,
    configurationIndex,
    recovered: {
      hardState: log.hardState,
      compacted: { index: compacted.index, term: compacted.term },
      terms: log.terms,
      lastIndex: log.lastIndex,
      configurations: [
        base,
        ...log.configurationEntries.map((entry) => ({
          index: entry.index,
          configuration: decodeConfiguration(entry.payload),
        })),
      ],
      commitIndex: applied.index,
      appliedIndex: applied.index,
    },
  }
}

function beginning(
  log: RecoveredReplica,
  at: { readonly index: number; readonly term: number },
  configuration: Configuration,
  configurationIndex: number,
): Recovered {
  return {
    hardState: log.hardState,
    compacted: at,
    terms: [],
    lastIndex: at.index,
    configurations: [{ index: configurationIndex, configuration }],
    commitIndex: at.index,
    appliedIndex: at.index,
  }
}

/** Term of the entry at `index` as the log has it; null where it has none. */
function termAt(log: RecoveredReplica, index: number): number | null {
  const compacted = log.compacted ?? NOWHERE
  if (index === compacted.index) return compacted.term
  if (index < compacted.index || index > log.lastIndex) return null
  let term: number | null = null
  for (const run of log.terms) if (run.firstIndex <= index) term = run.term
  return term
}
