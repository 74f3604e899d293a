// At the end of a run on processes: replicas at equal applied index must have equal state.
import { StateHashes } from '../check/state-hashes.ts'
import type { ProcessCluster } from './process-cluster.ts'

/** Asks until every node answers and all replicas of each group are at the same index; throws if that takes too long. */
export async function compareStates(cluster: ProcessCluster, timeoutMs: number): Promise<StateHashes> {
  const hashes = new StateHashes()
  await cluster.waitFor('all replicas are at the same index', timeoutMs, (statuses) => {
    for (const status of statuses) hashes.observe(status)
    const indexes = new Map<number, Set<number>>()
    for (const { group, appliedIndex } of statuses.flatMap(({ shards }) => shards))
      indexes.set(group, (indexes.get(group) ?? new Set()).add(appliedIndex))
    return statuses.length === cluster.nodes.length && [...indexes.values()].every(({ size }) => size === 1)
  })
  return hashes
}
