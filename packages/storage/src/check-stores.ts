// What the log and the state store say of each other (storage.md, recovery 1 and the state store).
import type { RecoveredLog } from './log/recover.ts'
import type { ReplicaHead, StateStore } from './state/state-store.ts'

/** Condemns whoever lost something in one of the two stores. */
export function checkAgainstStore(
  { table }: RecoveredLog,
  store: StateStore,
  heads: readonly ReplicaHead[],
): void {
  const condemnAll = (reason: string): void => {
    for (const { group, incarnation } of table.all()) table.condemn({ group, incarnation }, reason)
  }
  if (store.damage !== null) condemnAll(`the state store is damaged: ${store.damage}`)
  const newest = Math.max(0, ...table.all().map(({ compacted }) => compacted?.checkpoint ?? 0))
  if (newest > store.checkpointNumber) {
    condemnAll(
      `the log relies on checkpoint ${newest}, the newest in the state store is ${store.checkpointNumber}`,
    )
  }
  for (const group of store.damagedGroups) {
    const replica = table.get(group)
    if (replica !== undefined) table.condemn(replica, 'rows of the state store fail their checksum')
  }
  // A head is written behind the synced record that creates its replica, and tombstones outlive heads.
  for (const head of heads) {
    const known = table.get(head.group)
    if (known === undefined || known.incarnation < head.incarnation) {
      table.condemn(head, 'the state store has a checkpoint of it, the log has nothing')
    }
  }
  for (const replica of table.all()) {
    const { compacted, state, group, incarnation } = replica
    if (state !== 'live' || compacted === null || compacted.index === 0) continue
    const head = heads.find((other) => other.group === group && other.incarnation === incarnation)
    if (head !== undefined && head.appliedIndex >= compacted.index) continue
    const reached = head === undefined ? 'none' : `index ${head.appliedIndex}`
    table.condemn(replica, `the log begins behind ${compacted.index}, its checkpoint reaches ${reached}`)
  }
}
