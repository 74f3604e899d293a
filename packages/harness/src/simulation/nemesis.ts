// The nemesis: injects faults, those of the seed's kinds, one or two at a time, or exactly those of a schedule, until it is
// told to stop; then heals everything.
import { durationOf, familyOf, formatFault, type ScheduledFault } from '../schedule/schedule.ts'
import type { FaultContext, FaultEffect } from './fault.ts'
import { drawFault, injectFault } from './faults.ts'
import { SeededRandom } from './seeded-random.ts'
import type { FaultKind, RunPlan } from './swarm.ts'
import { UNTOLD } from './virtual-time.ts'

/** More than this many at once would only make the cluster stand still. */
const ACTIVE_MAX = 2

/** A moment at which a fault of this kind may be injected, whoever it hits. */
interface Attempt {
  readonly atMs: number
  readonly kind: FaultKind
}

interface ActiveFault extends FaultEffect {
  readonly kind: FaultKind
  readonly text: string
}

export class Nemesis {
  /** What there was to inject: given to another run of the seed, that run is the same. */
  readonly schedule: ScheduledFault[] = []
  readonly #context: FaultContext
  readonly #plan: RunPlan
  readonly #given: readonly ScheduledFault[] | undefined
  readonly #active = new Set<ActiveFault>()
  readonly #counts = new Map<FaultKind, number>()
  #stopped = false

  /** `given`: these faults, in place of what the seed draws. */
  constructor(context: FaultContext, plan: RunPlan, given?: readonly ScheduledFault[]) {
    this.#context = context
    this.#plan = plan
    this.#given = given
  }

  /** Faults that took effect, by kind. */
  get counts(): ReadonlyMap<FaultKind, number> {
    return this.#counts
  }

  get total(): number {
    return [...this.#counts.values()].reduce((sum, count) => sum + count, 0)
  }

  /** The load begins now. */
  start(): void {
    const { world } = this.#context
    // All at once, and untold where nothing comes of them: the order of everything else depends on the faults alone.
    const at = (atMs: number, run: () => void): void =>
      void world.process.schedule(atMs, UNTOLD, () => {
        if (!this.#stopped) run()
      })
    if (this.#given !== undefined) for (const fault of this.#given) at(fault.atMs, () => this.#inject(fault))
    else
      for (const [index, attempt] of this.#attempts().entries())
        at(attempt.atMs, () => this.#attempt(attempt, index + 1))
  }

  /** No more faults; everything that was done is undone. */
  stop(): void {
    this.#stopped = true
    for (const fault of this.#active) this.#heal(fault)
  }

  #attempts(): Attempt[] {
    const { faults, faultPauseMsMean, durationMs } = this.#plan
    const random = new SeededRandom(this.#context.world.seed, 'nemesis')
    const attempts: Attempt[] = []
    for (let atMs = 0; ;) {
      atMs += Math.round(random.exponential(faultPauseMsMean))
      if (atMs >= durationMs) return attempts
      attempts.push({ atMs, kind: random.pick(faults) })
    }
  }

  #attempt({ atMs, kind }: Attempt, number: number): void {
    if (this.#active.size >= ACTIVE_MAX) return
    // Two faults of one kind would undo each other.
    if ([...this.#active].some((other) => familyOf(other.kind) === familyOf(kind))) return
    const random = new SeededRandom(this.#context.world.seed, `fault/${number}`)
    const fault = drawFault(kind, atMs, { ...this.#context, random })
    if (fault !== null) this.#inject(fault)
  }

  #inject(fault: ScheduledFault): void {
    const { world } = this.#context
    const text = formatFault(fault)
    world.note('world', `fault ${text}`)
    this.schedule.push(fault)
    const effect = injectFault(fault, this.#context)
    if (effect === null) {
      world.note('world', `nobody to hit: ${text}`)
      return
    }
    const active = { ...effect, kind: fault.kind, text }
    this.#active.add(active)
    world.process.schedule(durationOf(fault), 'heal', () => this.#heal(active))
  }

  #heal(fault: ActiveFault): void {
    if (!this.#active.delete(fault)) return
    fault.heal()
    const bit = fault.bit()
    this.#context.world.note('world', `healed ${fault.text}${bit ? '' : ' (no effect)'}`)
    if (bit) this.#counts.set(fault.kind, (this.#counts.get(fault.kind) ?? 0) + 1)
  }
}
