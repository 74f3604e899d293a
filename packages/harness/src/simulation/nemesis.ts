// The nemesis: injects faults of the seed's kinds, one or two at a time, until it is told to stop; then heals everything.
import type { FaultContext, InjectedFault } from './fault.ts'
import { injectFault } from './faults.ts'
import { SeededRandom } from './seeded-random.ts'
import type { FaultKind, RunPlan } from './swarm.ts'

/** More than this many at once would only make the cluster stand still. */
const ACTIVE_MAX = 2

/** One fault of a run, for whoever tells or shortens it. */
export interface ScheduledFault {
  /** Of the attempt, from 1: the same number is the same fault in every run of the seed. */
  readonly number: number
  readonly kind: FaultKind
  readonly target: string
  readonly atMs: number
}

export class Nemesis {
  readonly schedule: ScheduledFault[] = []
  readonly #context: FaultContext
  readonly #plan: RunPlan
  /** Attempts that inject; undefined: all. */
  readonly #only: ReadonlySet<number> | undefined
  #attempts = 0
  readonly #active = new Set<InjectedFault>()
  readonly #counts = new Map<FaultKind, number>()
  #stopped = false

  constructor(context: FaultContext, plan: RunPlan, only?: readonly number[]) {
    this.#context = context
    this.#plan = plan
    this.#only = only === undefined ? undefined : new Set(only)
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
    this.#attempts += 1
    const kind = random.pick(this.#plan.faults)
    if (this.#active.size < ACTIVE_MAX && this.#only?.has(this.#attempts) !== false) this.#inject(kind)
    this.start()
    world.trace.event(world.time.nowMs, 'world', 'active', this.#active.size)
  }

  #inject(kind: FaultKind): void {
    const { world } = this.#context
    // Two faults of one kind would undo each other.
    if ([...this.#active].some((other) => family(other.kind) === family(kind))) return
    // Chance of its own: without this fault all others are what they were.
    const random = new SeededRandom(world.seed, `fault/${this.#attempts}`)
    const fault = injectFault(kind, { ...this.#context, random })
    if (fault === null) return
    world.note('world', `fault ${this.#attempts} ${fault.kind} ${fault.target}`)
    this.schedule.push({ number: this.#attempts, kind, target: fault.target, atMs: world.time.nowMs })
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
  if (kind === 'bit-rot' || kind === 'wipe' || kind === 'old-copy') return 'crash'
  if (kind.endsWith('clock')) return 'clock'
  if (kind.startsWith('partition') || kind === 'slow-link' || kind === 'swizzle') return 'partition'
  return kind
}
