// What a fault is, and whom it can ask: the vocabulary that all kinds of faults share.
import type { ClientFleet } from './client-fleet.ts'
import type { SeededRandom } from './seeded-random.ts'
import type { SimulatedCluster } from './simulated-cluster.ts'
import type { World } from './world.ts'

export interface FaultEffect {
  /** Undoes it. Called once, also for what healed by itself. */
  heal(): void
  /** Whether anything was different because of it; asked when it is healed. */
  bit(): boolean
}

export interface FaultContext {
  readonly world: World
  readonly cluster: SimulatedCluster
  readonly clients: ClientFleet
}

export interface DrawContext extends FaultContext {
  readonly random: SeededRandom
}

/** A kind of fault. All chance is in `draw`: the same arguments on the same cluster are the same fault. */
export interface Fault<Arguments> {
  /** Whom it hits and how. Null where there is nobody to hit at this moment. */
  draw(context: DrawContext): Arguments | null
  /** Null where those whom it should hit are not there, or not as it needs them. */
  inject(context: FaultContext, given: Arguments): FaultEffect | null
}

export function names({ cluster }: FaultContext): string[] {
  return cluster.machines.map(({ name }) => name)
}

export function running({ cluster }: FaultContext): string[] {
  return cluster.machines.filter((machine) => machine.running).map(({ name }) => name)
}

export function pickRunning(context: DrawContext, count: number): string[] {
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
