// The nemesis: injects faults of the seed's kinds, one or two at a time, until it is told to stop; then heals everything.
import type { FaultContext, InjectedFault } from './fault.ts'
import { injectFault } from './faults.ts'
import type { FaultKind, RunPlan } from './swarm.ts'

/** More than this many at once would only make the cluster stand still. */
const ACTIVE_MAX = 2

export class Nemesis {
  readonly #context: FaultContext
  readonly #plan: RunPlan
  readonly #active = new Set<InjectedFault>()
  readonly #counts = new Map<FaultKind, number>()
  #stopped = false

  constructor(context: FaultContext, plan: RunPlan) {
    this.#context = context
    this.#plan = plan
  }

  /** Faults that took effect, by kind. */
  get counts(): ReadonlyMap<FaultKind, number> {
    return this.#counts
  }

  get total(): number {
    return [...this.#counts.values()].reduce((sum, count) => sum + count, 0)
  }

  start(): void {
    const { world, random } = this.#context
    world.process.schedule(random.exponential(this.#plan.faultPauseMsMean), 'nemesis', () => this.#next())
  }

  /** No more faults; everything that was done is undone. */
  stop(): void {
    this.#stopped = true
    for (const fault of this.#active) this.#heal(fault)
  }

  #next(): void {
    if (this.#stopped) return
    const { world, random } = this.#context
    if (this.#active.size < ACTIVE_MAX) this.#inject(random.pick(this.#plan.faults))
    this.start()
    world.trace.event(world.time.nowMs, 'world', 'active', this.#active.size)
  }

  #inject(kind: FaultKind): void {
    const { world } = this.#context
    // Two faults of one kind would undo each other.
    if ([...this.#active].some((other) => family(other.kind) === family(kind))) return
    const fault = injectFault(kind, this.#context)
    if (fault === null) return
    world.note('world', `fault ${fault.kind} ${fault.target}`)
    this.#active.add(fault)
    world.process.schedule(fault.durationMs, 'heal', () => this.#heal(fault))
  }

  #heal(fault: InjectedFault): void {
    if (!this.#active.delete(fault)) return
    fault.heal()
    const bit = fault.bit()
    this.#context.world.note('world', `healed ${fault.kind} ${fault.target}${bit ? '' : ' (no effect)'}`)
    if (bit) this.#counts.set(fault.kind, (this.#counts.get(fault.kind) ?? 0) + 1)
  }
}

/** All crashes are one family, all partitions another, all clocks a third. */
function family(kind: FaultKind): string {
  if (kind.startsWith('crash') || kind.startsWith('power')) return 'crash'
  if (kind === 'bit-rot') return 'crash'
  if (kind.endsWith('clock')) return 'clock'
  if (kind.startsWith('partition') || kind === 'slow-link') return 'partition'
  return kind
}
