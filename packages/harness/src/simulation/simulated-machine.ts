// One machine of a simulated cluster: disks that outlive crashes, and at most one living node process.
import { createNode, type NodeSettings, type NodeStatus, type QuorateNode } from '@quorate/node'
import { createMemoryDisk, type MemoryDisk, type Timers } from '@quorate/runtime'
import { createMemoryStateWorld, type MemoryStateWorld } from '@quorate/storage'
import { createProcessNetwork } from './process-network.ts'
import { SeededRandom } from './seeded-random.ts'
import { SimulatedProcess } from './simulated-process.ts'
import type { World } from './world.ts'

const CLIENT_PORT = 7400
const PEER_PORT = 7500
const DATA_DIRECTORY = '/data'

export interface MachineOptions {
  /** Names of the nodes that form the cluster. */
  readonly bootstrap: readonly string[]
  readonly shards: number
  readonly settings: Partial<NodeSettings>
}

export function clientAddressOf(name: string): string {
  return `${name}:${CLIENT_PORT}`
}

export class SimulatedMachine {
  readonly name: string
  readonly disk: MemoryDisk
  readonly states: MemoryStateWorld
  readonly #world: World
  readonly #options: MachineOptions
  #process: SimulatedProcess
  #started: QuorateNode | null = null
  #life = 0

  constructor(name: string, world: World, options: MachineOptions) {
    this.name = name
    this.#world = world
    this.#options = options
    this.#process = new SimulatedProcess(name, world.time)
    this.#process.kill()
    // What a disk completes it completes for the process that lives now: a pause holds it, a crash swallows it.
    const timers: Timers = {
      after: (delayMs, callback) => this.#process.timers.after(delayMs, callback),
      endOfTurn: (callback) => this.#process.timers.endOfTurn(callback),
    }
    this.disk = createMemoryDisk({ timers, random: new SeededRandom(world.seed, `${name}/disk`) })
    this.states = createMemoryStateWorld({ timers, random: new SeededRandom(world.seed, `${name}/state`) })
  }

  get process(): SimulatedProcess {
    return this.#process
  }

  get running(): boolean {
    return this.#process.alive
  }

  start(): void {
    if (this.running) throw new Error(`${this.name} runs already`)
    const { name } = this
    const world = this.#world
    const process = new SimulatedProcess(name, world.time)
    this.#process = process
    this.#life += 1
    const { bootstrap, shards, settings } = this.#options
    const node = createNode({
      name,
      dataDirectory: DATA_DIRECTORY,
      listen: clientAddressOf(name),
      peerListen: `${name}:${PEER_PORT}`,
      bootstrap: bootstrap.map((other) => ({ name: other, address: `${other}:${PEER_PORT}` })),
      shards,
      settings,
      runtime: {
        clock: process.clock,
        timers: process.timers,
        random: new SeededRandom(world.seed, `${name}/${this.#life}`),
        disk: this.disk.disk,
        network: createProcessNetwork(process, world.hub.networkFor(name), world.weather),
      },
      openStateStore: this.states.open,
      log: ({ code, ...facts }) => {
        if (process.alive) world.note(name, `${code} ${JSON.stringify(facts)}`)
      },
    })
    world.note(name, `start (life ${this.#life})`)
    process.receive('start', this.#life, () => {
      node.start().then(
        () => {
          if (process.alive) this.#started = node
        },
        (error: unknown) => this.#fail(process, 'refused to start', error),
      )
    })
    void node.halted.then((error) => this.#fail(process, 'halted', error))
  }

  /** SIGKILL, or the whole machine goes dark. */
  crash(powerLoss: boolean): void {
    this.#world.note(this.name, powerLoss ? 'POWER LOSS' : 'CRASH')
    this.#process.kill()
    this.#started = null
    this.#world.hub.disconnect(this.name)
    this.disk.crash({ powerLoss })
    this.states.crash({ powerLoss })
  }

  /** Null while it does not run, is paused, or has not recovered. */
  status(): NodeStatus | null {
    return this.#process.alive && !this.#process.paused ? (this.#started?.status() ?? null) : null
  }

  #fail(process: SimulatedProcess, what: string, error: unknown): void {
    // A process that is dead by now has nothing to say.
    if (!process.alive) return
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
    this.#world.fail(`${this.name} ${what}: ${text}`)
  }
}
