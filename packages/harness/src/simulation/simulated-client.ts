// A client process of a simulated world: real client code on a simulated runtime.
import { connectQuorate } from '../workload/quorate-client.ts'
import type { Outcome, WorkerClock, WorkloadClient } from '../workload/worker.ts'
import { createProcessNetwork } from './process-network.ts'
import { SeededRandom } from './seeded-random.ts'
import { clientAddressOf } from './simulated-machine.ts'
import type { SimulatedCluster } from './simulated-cluster.ts'
import { SimulatedProcess } from './simulated-process.ts'
import type { World } from './world.ts'

export interface SimulatedClient {
  readonly name: string
  readonly client: WorkloadClient
  readonly clock: WorkerClock
  /** Chance of its workload; apart from the chance of the client code. */
  readonly random: SeededRandom
  /** SIGKILL. */
  crash(): void
}

/** Connects with the first operation, so that a client can also start while nobody answers. */
export function createSimulatedClient(
  name: string,
  world: World,
  cluster: SimulatedCluster,
): SimulatedClient {
  const process = new SimulatedProcess(name, world.time)
  const runtime = {
    clock: process.clock,
    timers: process.timers,
    random: new SeededRandom(world.seed, `${name}/client`),
    network: createProcessNetwork(process, world.hub.networkFor(name), world),
  }
  const endpoints = cluster.machines.map((machine) => clientAddressOf(machine.name))
  let connecting: Promise<WorkloadClient> | null = null
  return {
    name,
    random: new SeededRandom(world.seed, `${name}/workload`),
    crash: () => {
      world.note(name, 'CRASH')
      process.kill()
      world.hub.disconnect(name)
    },
    clock: {
      nowMs: () => world.time.nowMs,
      sleep: (delayMs) => new Promise((resolve) => void process.timers.after(delayMs, resolve)),
    },
    client: {
      execute: async (operation): Promise<Outcome> => {
        let client: WorkloadClient
        try {
          connecting ??= connectQuorate(endpoints, { runtime })
          client = await connecting
        } catch (error) {
          connecting = null
          const code = error instanceof Error ? error.message : String(error)
          // Nothing was sent before there was a connection.
          return { type: 'fail', applied: false, seen: null, position: null, shard: null, error: code }
        }
        return client.execute(operation)
      },
      close: async () => {
        await (await connecting)?.close()
      },
    },
  }
}
