// What a fault is, and whom it can ask: the vocabulary that all kinds of faults share.
import type { ClientFleet } from './client-fleet.ts'
import type { SeededRandom } from './seeded-random.ts'
import type { SimulatedCluster } from './simulated-cluster.ts'
import type { FaultKind } from './swarm.ts'
import type { World } from './world.ts'

export interface InjectedFault {
  readonly kind: FaultKind
  /** For people: whom it hit. */
  readonly target: string
  readonly durationMs: number
  /** Undoes it. Called once, also for what healed by itself. */
  heal(): void
  /** Whether anything was different because of it; asked when it is healed. */
  bit(): boolean
}

export interface FaultContext {
  readonly world: World
  readonly cluster: SimulatedCluster
  readonly clients: ClientFleet
  readonly random: SeededRandom
}

export type FaultEffect = Omit<InjectedFault, 'kind'>

/** Null where the fault has nobody to hit at this moment. */
export type Injector = (context: FaultContext) => FaultEffect | null

export function names({ cluster }: FaultContext): string[] {
  return cluster.machines.map(({ name }) => name)
}

export function running({ cluster }: FaultContext): string[] {
  return cluster.machines.filter((machine) => machine.running).map(({ name }) => name)
}

export function pickRunning(context: FaultContext, count: number): string[] {
  return context.random.shuffle(running(context)).slice(0, count)
}

/** The node that leads the most groups at this moment. */
export function busiestLeader({ cluster }: FaultContext): string | null {
  let best: { readonly id: string; readonly led: number } | null = null
  for (const { id, shards } of cluster.statuses()) {
    const led = shards.filter(({ role }) => role === 'leader').length
    if (led > (best?.led ?? 0)) best = { id, led }
  }
  return best?.id ?? null
}
