// Whether the replicas of a healed cluster are those that its groups name, and hold the same.
import type { NodeStatus, ShardStatus } from '@quorate/node'

interface Replica extends ShardStatus {
  readonly node: string
}

/** Names of machines. */
export interface Damage {
  /** What was there may be missing. */
  readonly damaged: ReadonlySet<string>
  /** Nothing that comes there stays. */
  readonly broken: ReadonlySet<string>
}

/** Groups that are not (yet) whole and equal. */
export function groupsThatDiffer(
  statuses: readonly NodeStatus[],
  groups: readonly number[],
  damage: Damage,
): number[] {
  const replicas = new Map<number, Replica[]>()
  for (const { id, shards } of statuses)
    for (const shard of shards) {
      if (shard.state === 'condemned' && damage.damaged.has(id)) continue
      const known = replicas.get(shard.group)
      if (known === undefined) replicas.set(shard.group, [{ ...shard, node: id }])
      else known.push({ ...shard, node: id })
    }
  return groups.filter((group) => !isWhole(replicas.get(group) ?? [], damage))
}

function isWhole(replicas: readonly Replica[], { damaged, broken }: Damage): boolean {
  const leader = replicas.find(({ role, servesReads }) => role === 'leader' && servesReads)
  if (leader === undefined || leader.learners.some((name) => !broken.has(name))) return false
  const hosts = new Set(replicas.map(({ node }) => node))
  // A wiped node's former self has another name by now, and no node answers to it.
  const missing = leader.voters.filter((name) => !hosts.has(name))
  if (missing.length > Math.sign(damaged.size)) return false
  return replicas.every(
    ({ node, appliedIndex }) => leader.voters.includes(node) && appliedIndex === leader.appliedIndex,
  )
}
