// One seed is one run: plan, boot, load and faults, healing, final reads, verdict. The same seed gives the same trace.
import { checkCounters, totalCounters } from '../check/counters.ts'
import { Evictions } from '../check/evictions.ts'
import { checkFloor } from '../check/floor.ts'
import { checkPresence } from '../check/presence.ts'
import type { Violation } from '../check/violation.ts'
import { checkWitness } from '../check/witness.ts'
import {
  countHistory,
  countRelaxed,
  type HistoryCounts,
  type Operation,
  type RelaxedCounts,
  type Seen,
} from '../workload/history.ts'
import { keysOf, registerShape, type WorkloadShape } from '../workload/plan.ts'
import { readAllKeys } from '../workload/worker.ts'
import { AlwaysOn } from './always-on.ts'
import { ClientFleet } from './client-fleet.ts'
import { installGuards } from './guards.ts'
import { withdrawChanges } from './membership-faults.ts'
import type { ScheduledFault } from '../schedule/schedule.ts'
import { Nemesis } from './nemesis.ts'
import type { ObservedMessage } from './observed-message.ts'
import { SeededRandom } from './seeded-random.ts'
import { createSimulatedClient, type SimulatedClient } from './simulated-client.ts'
import { SimulatedCluster } from './simulated-cluster.ts'
import { drawReadMix } from './read-mix.ts'
import { planRun, type RunPlan, withShards } from './swarm.ts'
import { Trace, type TraceLine } from './trace.ts'
import { World } from './world.ts'

const BOOT_BUDGET_MS = 30_000
/** After everything is healed, every shard must be served within this. */
const RECOVERY_BUDGET_MS = 20_000
/** Load goes on for this long on the healed cluster. */
const HEALED_LOAD_MS = 3_000
/** A client's last operation ends by its deadline; more is a hang. */
const DRAIN_BUDGET_MS = 15_000
const FINAL_READS_BUDGET_MS = 60_000
const CONVERGENCE_BUDGET_MS = 20_000
/** A calmer load than on processes: more simulated time, and so more faults, for each operation. */
const simulatedShape: WorkloadShape = { ...registerShape, thinkMsMean: 400 }
const OBSERVE_EVERY_MS = 600
const FINAL_READ_ATTEMPTS = 3

export interface SeedResult {
  readonly seed: number
  readonly plan: RunPlan
  readonly violations: readonly Violation[]
  readonly traceHash: string
  readonly events: number
  readonly simulatedMs: number
  /** Of this process, while the run lasted. */
  readonly cpuMs: number
  readonly counts: HistoryCounts
  /** Entries that the cluster evicted. */
  readonly evictions: number
  readonly relaxed: RelaxedCounts
  readonly faults: Readonly<Record<string, number>>
  readonly hashesCompared: number
  /** Acknowledged writes that were looked for on the disks. */
  readonly durableJudged: number
  readonly schedule: readonly ScheduledFault[]
}

export interface RunOptions {
  /** Gets every readable line of the run. */
  readonly sink?: ((line: TraceLine) => void) | undefined
  /** Gets every message between nodes that decides something. Asked for, a run is slower, and the same. */
  readonly message?: ((message: ObservedMessage) => void) | undefined
  /** Shards of the cluster, in place of what the seed draws. */
  readonly shards?: number | undefined
  /** Exactly these faults, in place of what the seed draws; such a run may be empty. */
  readonly schedule?: readonly ScheduledFault[] | undefined
}

/** Never rejects: what goes wrong is a violation. Installs the guards for its duration. */
export async function runSeed(seed: number, options: RunOptions = {}): Promise<SeedResult> {
  const drawn = planRun(new SeededRandom(seed, 'plan'))
  const plan = options.shards === undefined ? drawn : withShards(drawn, options.shards)
  const world = new World(seed, new Trace(options.sink), (host) => host.startsWith('n'))
  const cpuBefore = process.cpuUsage()
  const removeGuards = installGuards((error) => world.fail(error.stack ?? error.message))
  const onRejection = (error: unknown): void =>
    world.fail(
      `unhandled rejection: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
    )
  process.on('unhandledRejection', onRejection)
  const run = new SeedRun(world, plan, options)
  try {
    await run.execute()
  } catch (error) {
    world.fail(
      `the run broke off: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
    )
  } finally {
    process.off('unhandledRejection', onRejection)
    removeGuards()
  }
  const { user, system } = process.cpuUsage(cpuBefore)
  return { ...run.result(), cpuMs: (user + system) / 1000 }
}

class SeedRun {
  readonly #world: World
  readonly #plan: RunPlan
  readonly #cluster: SimulatedCluster
  readonly #given: readonly ScheduledFault[] | undefined
  readonly #clients: ClientFleet
  readonly #nemesis: Nemesis
  readonly #always: AlwaysOn
  readonly #evictions: Evictions
  readonly #history: Operation[] = []
  #finalReads = new Map<string, Seen>()
  #finished = false

  constructor(world: World, plan: RunPlan, { schedule: given, message }: RunOptions) {
    this.#given = given
    this.#world = world
    this.#plan = plan
    this.#evictions = new Evictions(() => world.time.nowMs)
    const removed = this.#evictions.reported
    this.#cluster = new SimulatedCluster(world, { ...plan, removed })
    this.#always = new AlwaysOn(world, this.#cluster, plan, message)
    const reads = drawReadMix(new SeededRandom(world.seed, 'reads'))
    world.note('world', `reads ${JSON.stringify(reads)}`)
    this.#clients = new ClientFleet(world, this.#cluster, { ...simulatedShape, reads }, (operation) =>
      this.#record(operation),
    )
    this.#nemesis = new Nemesis({ world, cluster: this.#cluster, clients: this.#clients }, plan, given)
  }

  async execute(): Promise<void> {
    const world = this.#world
    world.note('world', `plan ${JSON.stringify(this.#plan)}`)
    for (const { name } of this.#cluster.machines) this.#cluster.startNode(name)
    this.#observe()
    if (!(await world.until(() => this.#cluster.served(), BOOT_BUDGET_MS))) {
      world.fail(`the cluster did not form: ${this.#cluster.describe()}`)
      return
    }
    world.note('world', 'served')
    await this.#load()
    await this.#readEverything()
    if (!(await world.until(() => this.#cluster.converged(), CONVERGENCE_BUDGET_MS)))
      world.fail(`replicas did not converge: ${this.#cluster.describe()}`)
    this.#always.look()
    this.#finished = true
  }

  result(): Omit<SeedResult, 'cpuMs'> {
    const world = this.#world
    const counts = countHistory(this.#history)
    const counters = new Map([...this.#finalReads].map(([key, seen]) => [key, counterValue(seen)]))
    const size = {
      simulatedSeconds: world.time.nowMs / 1000,
      completedOperations: counts.ok,
      effectiveFaults: this.#nemesis.total,
    }
    const { operations: evictions } = this.#evictions
    const evicted = new Set(evictions.map(({ key }) => key))
    // What a counter counted before it went is gone: the witness knows when.
    const kept = this.#history.filter(({ key }) => !evicted.has(key))
    const history = [...this.#history, ...evictions]
    const checks = this.#finished
      ? [
          ...checkCounters(totalCounters(kept, counters)),
          ...checkPresence(history, this.#finalReads),
          ...(this.#given === undefined ? checkFloor(size) : []),
        ]
      : []
    const violations = [
      ...world.violations,
      ...this.#always.violations,
      ...this.#evictions.violations,
      ...checkWitness(history),
      ...checks,
    ]
    return {
      seed: world.seed,
      plan: this.#plan,
      violations,
      events: world.trace.events,
      traceHash: world.trace.digest(),
      simulatedMs: world.time.nowMs,
      counts,
      evictions: evictions.length,
      relaxed: countRelaxed(this.#history),
      faults: Object.fromEntries(this.#nemesis.counts),
      hashesCompared: this.#always.compared.hashes,
      durableJudged: this.#always.compared.durable,
      schedule: this.#nemesis.schedule,
    }
  }

  /** Clients at work: first under faults, then on a healed cluster. */
  async #load(): Promise<void> {
    const world = this.#world
    for (let number = 1; number <= this.#plan.clients; number++) this.#clients.startOne()
    this.#nemesis.start()
    await world.pass(this.#plan.durationMs)
    this.#nemesis.stop()
    this.#heal()
    if (!(await world.until(() => this.#allServed(), RECOVERY_BUDGET_MS)))
      world.fail(`not served ${RECOVERY_BUDGET_MS} ms after healing: ${this.#cluster.describe()}`)
    await world.pass(HEALED_LOAD_MS)
    this.#clients.stop()
    if (!(await world.until(() => this.#clients.working === 0, DRAIN_BUDGET_MS)))
      world.fail(`${this.#clients.working} clients hang: an operation did not end by its deadline`)
  }

  #heal(): void {
    const world = this.#world
    world.weather.clear()
    world.weather.climate = { ...this.#plan.climate, loss: 0, duplication: 0, overtakingMs: 0 }
    world.applyWeather()
    for (const { name, refused } of this.#cluster.machines) if (!refused) this.#cluster.restartNode(name)
    world.note('world', 'healed for good')
    withdrawChanges(this.#cluster)
  }

  #allServed(): boolean {
    return (
      this.#cluster.machines.every(({ running, refused }) => running || refused) && this.#cluster.served()
    )
  }

  async #readEverything(): Promise<void> {
    const client = this.#client('c0')
    let done = false
    const keys = keysOf(simulatedShape)
    void readAllKeys(this.#workerOptions(client), keys, FINAL_READ_ATTEMPTS).then((seen) => {
      this.#finalReads = seen
      done = true
    })
    if (!(await this.#world.until(() => done, FINAL_READS_BUDGET_MS)))
      this.#world.fail('the final reads did not end')
  }

  #client(name: string): SimulatedClient {
    return createSimulatedClient(name, this.#world, this.#cluster)
  }

  #workerOptions(client: SimulatedClient): {
    process: string
    client: SimulatedClient['client']
    clock: SimulatedClient['clock']
    record: (operation: Operation) => void
  } {
    const { name, clock } = client
    return { process: name, client: client.client, clock, record: (operation) => this.#record(operation) }
  }

  #record(operation: Operation): void {
    this.#history.push(operation)
    this.#always.answered(operation)
    const { process, type, f, key, seen, error } = operation
    this.#world.trace.text(this.#world.time.nowMs, process, `${type} ${f} ${key} ${String(seen?.value)}`)
    if (type !== 'ok') this.#world.note(process, `${type} ${f} ${key} ${error ?? ''}`)
  }

  #observe(): void {
    this.#always.look()
    for (const status of this.#cluster.statuses()) this.#evictions.observe(status)
    this.#world.process.schedule(OBSERVE_EVERY_MS, 'observe', () => this.#observe())
  }
}

/** A counter that was never incremented is absent: zero. */
function counterValue({ value, version }: Seen): number | null {
  if (version === null) return 0
  return typeof value === 'number' ? value : null
}
