// Changes of the members of groups under load, asked of whoever leads the meta group, as an operator would.
import { type FaultContext, type FaultEffect, running } from './fault.ts'
import type { SimulatedCluster } from './simulated-cluster.ts'

const ASK_AGAIN_MS = 200
/** How often an operator who wants all changes ended looks. */
const WITHDRAW_AGAIN_MS = 500
/** Copies of a group that changes. Never fewer, so that with one damaged machine a majority stays whole. */
const MEMBERS = 3
const MEMBERS_MAX = 5

/**
 * Some group, also the meta group, goes to other nodes; often its leader is not among them. Sometimes the change is taken
 * back while it is under way.
 */
export function changeMembers(context: FaultContext): FaultEffect | null {
  const { world, cluster, random } = context
  const groups = cluster.leaders()
  if (groups.length === 0) return null
  const group = random.pick(groups)
  const nodes = drawMembers(context, group.leader)
  if (nodes === null) return null
  const before = group.voters.toSorted().join(' ')
  let change: number | null = null
  let healed = false
  const withdrawn = random.chance(0.15) ? random.between(0, 400) : null
  const ask = (): void => {
    if (change !== null || healed) return
    cluster.metaLeader()?.changeMembership(group.group, nodes, (id) => {
      change ??= id
      if (withdrawn !== null)
        world.process.schedule(withdrawn, 'withdraw', () => {
          cluster.metaLeader()?.cancelMembershipChange(group.group, id)
        })
    })
    world.process.schedule(ASK_AGAIN_MS, 'ask', ask)
  }
  ask()
  return {
    target: `group ${group.group} of ${before} led by ${group.leader} to ${nodes.toSorted().join(' ')}`,
    durationMs: random.between(1_000, 6_000),
    heal: () => {
      healed = true
    },
    // Accepted, and decided one way or the other or under way still.
    bit: () => change !== null,
  }
}

/** Nodes that run; half of the time without the leader. Null where there are too few of them. */
function drawMembers(context: FaultContext, leader: string): string[] | null {
  const { cluster, random } = context
  const usable = running(context).filter((name) => cluster.machine(name).sound)
  const drawn = random.shuffle(usable)
  const count = drawn.length >= MEMBERS_MAX && random.chance(0.2) ? MEMBERS_MAX : MEMBERS
  const without = random.chance(0.5) ? drawn.filter((name) => name !== leader) : drawn
  const chosen = (without.length >= count ? without : drawn).slice(0, count)
  return chosen.length < count ? null : chosen
}

/** Takes back whatever change is open, again and again until none is: some wait for a node that never comes back. */
export function withdrawChanges(cluster: SimulatedCluster): void {
  const open = new Map(cluster.statuses().flatMap(({ changes }) => changes.map((one) => [one.group, one])))
  for (const { group, id, cancelled } of open.values())
    if (!cancelled) cluster.metaLeader()?.cancelMembershipChange(group, id)
  if (open.size > 0 || cluster.metaLeader() === null)
    cluster.world.process.schedule(WITHDRAW_AGAIN_MS, 'withdraw', () => withdrawChanges(cluster))
}
