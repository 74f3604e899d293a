// Changes of the members of groups under load, asked of whoever leads the meta group, as an operator would.
import type { FaultArguments } from '../schedule/fault-shapes.ts'
import { type DrawContext, type Fault, running } from './fault.ts'
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
export const changeMembers: Fault<FaultArguments['members']> = {
  draw: (context) => {
    const { cluster, random } = context
    const groups = cluster.leaders()
    if (groups.length === 0) return null
    const group = random.pick(groups)
    const nodes = drawMembers(context, group.leader)
    if (nodes === null) return null
    const withdraw = random.chance(0.15) ? random.wholeBetween(0, 400) : null
    return { group: group.group, nodes, withdraw, for: random.wholeBetween(1_000, 6_000) }
  },
  inject: ({ world, cluster }, { group, nodes, withdraw }) => {
    // Fewer copies, or one on a directory that loses what it holds, and a majority would not be whole.
    if (nodes.length < MEMBERS || !nodes.every((name) => cluster.machine(name).sound)) return null
    let change: number | null = null
    let healed = false
    const ask = (): void => {
      if (change !== null || healed) return
      cluster.metaLeader()?.changeMembership(group, nodes, (id) => {
        change ??= id
        if (withdraw !== null)
          world.process.schedule(withdraw, 'withdraw', () => {
            cluster.metaLeader()?.cancelMembershipChange(group, id)
          })
      })
      world.process.schedule(ASK_AGAIN_MS, 'ask', ask)
    }
    ask()
    return {
      heal: () => {
        healed = true
      },
      // Accepted, and decided one way or the other or under way still.
      bit: () => change !== null,
    }
  },
}

/** Nodes that run; half of the time without the leader. Null where there are too few of them. */
function drawMembers(context: DrawContext, leader: string): string[] | null {
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
