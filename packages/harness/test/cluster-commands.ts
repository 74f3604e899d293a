// What a property may do to a small simulated cluster: operations of clients, some at the same time, and faults between them.
import fc from 'fast-check'
import { SimulatedCluster } from '../src/simulation/simulated-cluster.ts'
import { createSimulatedClient, type SimulatedClient } from '../src/simulation/simulated-client.ts'
import { Trace } from '../src/simulation/trace.ts'
import { World } from '../src/simulation/world.ts'
import type { Operation } from '../src/workload/history.ts'
import type { PlannedOperation } from '../src/workload/plan.ts'
import { runOperation } from '../src/workload/worker.ts'
import type { Answered, ClusterModel } from './cluster-model.ts'

export const KEYS = ['key-0', 'key-1', 'counter-0'] as const
const NODES = 3
const CLIENTS = 3
const BUDGET_MS = 30_000

export interface Intent {
  readonly client: number
  readonly key: (typeof KEYS)[number]
  readonly f: 'get' | 'set' | 'cas' | 'del'
}

/** Real nodes and clients under virtual time, and all that the clients saw. */
export class Cluster {
  readonly world: World
  readonly nodes: SimulatedCluster
  readonly history: Operation[] = []
  readonly #clients: readonly SimulatedClient[]
  /** By client and key: the newest version that it saw. */
  readonly #versions = new Map<string, number>()
  #written = 0

  constructor(seed: number) {
    this.world = new World(seed, new Trace(), (host) => host.startsWith('n'))
    this.nodes = new SimulatedCluster(this.world, {
      nodes: NODES,
      spares: 0,
      shards: 1,
      settings: {},
      maxBytes: 0,
      removed: () => {},
    })
    this.#clients = Array.from({ length: CLIENTS }, (_, at) =>
      createSimulatedClient(`c${at + 1}`, this.world, this.nodes),
    )
  }

  async start(): Promise<void> {
    for (const { name } of this.nodes.machines) this.nodes.startNode(name)
    await this.untilServed()
  }

  async untilServed(): Promise<void> {
    if (!(await this.world.until(() => this.nodes.served(), BUDGET_MS)))
      throw new Error(this.nodes.describe())
  }

  /** All at once, each by its client; ends when each has ended. */
  async execute(intents: readonly Intent[]): Promise<Answered[]> {
    const answered: Answered[] = []
    for (const intent of intents) {
      const planned = this.#plan(intent)
      const { client, clock, name } = this.#client(intent.client)
      const record = (operation: Operation): void => void this.history.push(operation)
      void runOperation({ process: name, client, clock, record }, planned).then((operation) => {
        if (operation.seen !== null)
          this.#versions.set(`${name} ${operation.key}`, operation.seen.version ?? 0)
        answered.push({ planned, outcome: operation })
      })
    }
    if (!(await this.world.until(() => answered.length === intents.length, BUDGET_MS)))
      throw new Error('an operation did not end by its deadline')
    return answered
  }

  #client(number: number): SimulatedClient {
    const client = this.#clients[number]
    if (client === undefined) throw new Error(`no client ${number}`)
    return client
  }

  #plan({ client, key, f }: Intent): PlannedOperation {
    const counts = key.startsWith('counter')
    if (f === 'get' || (f === 'del' && !counts)) return { f, key, argument: null, expectedVersion: null }
    if (counts) return { f: 'incr', key, argument: 1, expectedVersion: null }
    const { name } = this.#client(client)
    const argument = `${name}.${this.#written++}`
    const expectedVersion = f === 'cas' ? (this.#versions.get(`${name} ${key}`) ?? 0) : null
    return { f, key, argument, expectedVersion }
  }
}

export type ClusterCommand = fc.AsyncCommand<ClusterModel, Cluster>

function command(
  text: string,
  run: (model: ClusterModel, cluster: Cluster) => void | Promise<void>,
): ClusterCommand {
  return {
    check: () => true,
    run: async (model, cluster) => {
      await run(model, cluster)
    },
    toString: () => text,
  }
}

const client = fc.nat(CLIENTS - 1)
const node = fc.integer({ min: 1, max: NODES }).map((number) => `n${number}`)
const intent = fc.record({
  client,
  key: fc.constantFrom(...KEYS),
  f: fc.constantFrom('get', 'set', 'set', 'cas', 'cas', 'del'),
})
/** One client does one thing at a time. */
const intents = fc.uniqueArray(intent, { minLength: 1, maxLength: CLIENTS, selector: (one) => one.client })

/** Severs every link of the node, also with clients that dial it. */
function isolate({ world, nodes }: Cluster, name: string): void {
  for (const { name: other } of nodes.machines)
    if (other !== name) {
      world.weather.sever(name, other)
      world.weather.sever(other, name)
    }
  world.applyWeather()
}

export function heal({ world, nodes }: Cluster): void {
  world.weather.clear()
  world.applyWeather()
  for (const { name } of nodes.machines) nodes.restartNode(name)
}

const operations = intents.map((together) =>
  command(
    together.map((one) => `c${one.client + 1} ${one.f} ${one.key}`).join(' | '),
    async (model, cluster) => model.answered(await cluster.execute(together)),
  ),
)

export const clusterCommands: fc.Arbitrary<ClusterCommand>[] = [
  // More often than any fault.
  operations,
  operations,
  operations,
  fc.record({ name: node, powerLoss: fc.boolean() }).map(({ name, powerLoss }) =>
    command(`${powerLoss ? 'power loss' : 'crash'} of ${name}`, (_, { nodes }) => {
      if (nodes.machine(name).running) nodes.crashNode(name, { powerLoss })
    }),
  ),
  node.map((name) => command(`${name} alone`, (_, cluster) => isolate(cluster, name))),
  fc.constant(command('healed', (_, cluster) => heal(cluster))),
  fc
    .integer({ min: 1, max: 1_500 })
    .map((delayMs) => command(`${delayMs} ms pass`, (_, { world }) => world.pass(delayMs))),
  node.map((name) =>
    command(`${name} hands over`, (_, { nodes }) => nodes.machine(name).transferLeadership([0, 1])),
  ),
]
