// The clients of a run: each a process with a workload of its own. One that dies leaves its operation under way unknown.
import type { Operation } from '../workload/history.ts'
import type { PlannedOperation, WorkloadShape } from '../workload/plan.ts'
import { runWorker, type WorkloadClient } from '../workload/worker.ts'
import type { SeededRandom } from './seeded-random.ts'
import { createSimulatedClient, type SimulatedClient } from './simulated-client.ts'
import type { SimulatedCluster } from './simulated-cluster.ts'
import type { World } from './world.ts'

interface Member {
  readonly simulated: SimulatedClient
  pending: { readonly planned: PlannedOperation; readonly callMs: number } | null
  crashed: boolean
}

export class ClientFleet {
  readonly #world: World
  readonly #cluster: SimulatedCluster
  readonly #shape: WorkloadShape
  readonly #record: (operation: Operation) => void
  readonly #working = new Set<Member>()
  #started = 0
  #stopped = false

  constructor(
    world: World,
    cluster: SimulatedCluster,
    shape: WorkloadShape,
    record: (operation: Operation) => void,
  ) {
    this.#world = world
    this.#cluster = cluster
    this.#shape = shape
    this.#record = record
  }

  /** Clients that have not ended. */
  get working(): number {
    return this.#working.size
  }

  /** One more client, under a name that no other had. */
  startOne(): void {
    if (this.#stopped) return
    this.#started += 1
    const simulated = createSimulatedClient(`c${this.#started}`, this.#world, this.#cluster)
    const member: Member = { simulated, pending: null, crashed: false }
    this.#working.add(member)
    const worker = runWorker({
      process: simulated.name,
      client: this.#watched(member),
      clock: simulated.clock,
      chance: simulated.random,
      shape: this.#shape,
      stopped: () => this.#stopped,
      record: (operation) => {
        member.pending = null
        this.#record(operation)
      },
    })
    void worker.then(() => this.#working.delete(member))
  }

  /** The name of one that may die. Null where none is to spare: one stays, so that there is load. */
  pickVictim(random: SeededRandom): string | null {
    const living = [...this.#working]
    if (living.length < 2) return null
    // Rather one that waits for an answer: the others lose nothing.
    const waiting = living.filter(({ pending }) => pending !== null)
    return random.pick(waiting.length > 0 ? waiting : living).simulated.name
  }

  /** Kills it; whether it had an operation under way. Null where no such client lives. */
  crash(name: string): { readonly hadWork: boolean } | null {
    const member = [...this.#working].find(({ simulated }) => simulated.name === name)
    if (member === undefined) return null
    const { simulated, pending } = member
    member.crashed = true
    this.#working.delete(member)
    simulated.crash()
    if (pending !== null) this.#record(lostOperation(name, pending.planned, pending.callMs))
    return { hadWork: pending !== null }
  }

  /** Each ends with its operation. */
  stop(): void {
    this.#stopped = true
  }

  #watched(member: Member): WorkloadClient {
    const { client } = member.simulated
    return {
      execute: async (planned) => {
        member.pending = { planned, callMs: this.#world.time.nowMs }
        const outcome = await client.execute(planned)
        // The dead report nothing: their operation is recorded as unknown already.
        if (member.crashed) return new Promise(() => {})
        return outcome
      },
      close: () => client.close(),
    }
  }
}

function lostOperation(process: string, planned: PlannedOperation, callMs: number): Operation {
  return {
    process,
    ...planned,
    type: 'info',
    applied: false,
    seen: null,
    position: null,
    shard: null,
    error: 'CLIENT_CRASHED',
    callMs,
    returnMs: null,
  }
}
