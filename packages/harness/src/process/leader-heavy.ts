// Whom a nemesis hurts most: the node that leads the most groups.
import type { NodeProcess } from './node-process.ts'
import type { ProcessCluster } from './process-cluster.ts'

/** How many groups it leads is at least one in a cluster that is served; throws in any other. */
export async function leaderHeavyNode(
  cluster: ProcessCluster,
): Promise<{ readonly node: NodeProcess; readonly led: number }> {
  const leads = (await cluster.statuses()).map(({ id, shards }) => ({
    id,
    led: shards.filter(({ role }) => role === 'leader').length,
  }))
  const [best] = leads.toSorted((left, right) => right.led - left.led)
  const node = cluster.nodes.find(({ plan }) => plan.name === best?.id)
  if (best === undefined || node === undefined || best.led === 0) throw new Error('nobody leads anything')
  return { node, led: best.led }
}
