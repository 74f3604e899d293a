// Before an orderly stop: leaderships go to the best other replica, so that clients wait a round trip and not an election.
import type { Runtime } from '@quorate/runtime'
import type { NodeCore } from './node-core.ts'
import type { Replica } from './replica/replica.ts'

/** Longest wait for the transfers; what is not handed over by then is elected anew. */
const HAND_OVER_MS = 400
const LOOK_AGAIN_MS = 10

export async function handOver(core: NodeCore, runtime: Runtime): Promise<void> {
  const led: Replica[] = []
  for (const { replica } of core.replicas.all())
    if (replica.isLeader && transferLeadership(replica, () => true)) led.push(replica)
  const deadline = core.now() + HAND_OVER_MS
  while (led.some((replica) => replica.isLeader) && core.now() < deadline)
    await new Promise<void>((resolve) => {
      runtime.timers.after(LOOK_AGAIN_MS, resolve)
    })
}

/** To one that may lead now; the core tells it as soon as it holds the whole log. */
export function transferTo(replica: Replica, voter: number): void {
  replica.step({ type: 'transferLeadership', to: voter })
}

/** To the voter of those that may lead which holds most of the log; false where there is none. */
export function transferLeadership(replica: Replica, mayLead: (voter: number) => boolean): boolean {
  const { raft, incarnation } = replica
  const others = raft.configuration.voters.filter((voter) => voter !== incarnation && mayLead(voter))
  const [best] = others.toSorted(
    (left, right) => (raft.matchIndexOf(right) ?? 0) - (raft.matchIndexOf(left) ?? 0),
  )
  if (best === undefined) return false
  transferTo(replica, best)
  return true
}
