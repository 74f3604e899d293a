// One machine of a simulated cluster: disks that outlive crashes, and at most one living node process.
import {
  createNode,
  type NodeOptions,
  type NodeSettings,
  type NodeStatus,
  type QuorateNode,
} from '@quorate/node'
import { type BoundaryHook, createMemoryDisk, type MemoryDisk, type Timers } from '@quorate/runtime'
import { createMemoryStateWorld, type MemoryStateWorld } from '@quorate/storage'
import { createProcessNetwork } from './process-network.ts'
import { SeededRandom } from './seeded-random.ts'
import { SimulatedProcess } from './simulated-process.ts'
import type { World } from './world.ts'

const CLIENT_PORT = 7400
const PEER_PORT = 7500
const DATA_DIRECTORY = '/data'
const STATE_DIRECTORY = `${DATA_DIRECTORY}/state`
const LOG_DIRECTORY = `${DATA_DIRECTORY}/log/`
const SYNC_LATENCY_MS = [0.2, 2] as const
const STORE_LATENCY_MS = { minMs: 0.05, maxMs: 1 }
/** A supervisor starts a node that halted again after about this. */
const SUPERVISOR_MS_MAX = 2_000

/** What a node says when it halts or refuses to start because its disk failed or is full; only faults of a run cause that. */
const diskHalt = /injected EIO|EIO: the write was made to fail|no space for/
/** What it says of a directory whose bits flipped. */
const damageHalt = /DAMAGED|NEWER_FORMAT|WRONG_IDS|damaged|checksum|old copy|corrupt/i

/** Heard of so lately, another node is alive and the link to it open. */
const HEARD_MS = 200

/** A data directory as it was when its node was down. */
export interface DirectoryCopy {
  readonly disk: MemoryDisk
  readonly rows: ReturnType<MemoryStateWorld['rows']>
}

export interface MachineOptions {
  /** Names of the nodes that form the cluster. */
  readonly bootstrap: readonly string[]
  readonly shards: number
  readonly settings: Partial<NodeSettings>
  readonly maxBytes: number
  readonly removed: NonNullable<NodeOptions['removed']>
}

export function clientAddressOf(name: string): string {
  return `${name}:${CLIENT_PORT}`
}

export class SimulatedMachine {
  readonly name: string
  /** Called before every operation of the disk takes effect. */
  readonly hooks: Set<BoundaryHook> = new Set()
  /** Lives that their disk ended. */
  readonly haltsByDisk: Set<SimulatedProcess> = new Set()
  /** Its directory has flipped bits, was emptied or put back. */
  damaged = false
  /** It will not start again: what it found in its directory it does not believe. */
  refused = false
  #syncs = 0
  #wiped = false
  readonly #world: World
  readonly #options: MachineOptions
  readonly #random: SeededRandom
  readonly #timers: Timers
  #disk: MemoryDisk
  #states: MemoryStateWorld
  /** Directories that this machine began empty. */
  #directories = 0
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
    this.#timers = {
      after: (delayMs, callback) => this.#process.timers.after(delayMs, callback),
      endOfTurn: (callback) => this.#process.timers.endOfTurn(callback),
    }
    this.#random = new SeededRandom(world.seed, `${name}/supervisor`)
    this.#disk = this.#newDisk()
    this.#states = this.#newStates()
  }

  get disk(): MemoryDisk {
    return this.#disk
  }

  get process(): SimulatedProcess {
    return this.#process
  }

  /** What is put on its disk now stays there: a wiped machine's next self is as good as any. */
  get sound(): boolean {
    return !this.damaged || this.#wiped
  }

  get running(): boolean {
    return this.#process.alive
  }

  /** Syncs of all lives. */
  get syncs(): number {
    return this.#syncs
  }

  /** Without arguments: as fast as usual. */
  setDiskLatency(minMs?: number, maxMs?: number): void {
    const slow = minMs !== undefined && maxMs !== undefined
    this.#disk.syncLatencyMs = slow ? [minMs, maxMs] : SYNC_LATENCY_MS
    this.#states.setLatency(slow ? { minMs: 0, maxMs } : STORE_LATENCY_MS)
  }

  /** The nth write of the state store from now fails; 0: none does. */
  failStoreWrite(nth: number): void {
    this.#states.failWrite(STATE_DIRECTORY, nth)
  }

  /** Flips a bit anywhere in the log of a node that is down; what was done, for people. */
  rotLog(random: SeededRandom): string {
    this.#wiped = false
    const files = this.#disk.paths().filter((path) => path.startsWith(LOG_DIRECTORY))
    const [file] = random.shuffle(files.filter((path) => this.#disk.sizeOf(path) > 0))
    if (file === undefined) return 'no log to damage'
    const position = random.below(this.#disk.sizeOf(file))
    this.#disk.flipBits(file, position, 1 << random.below(8))
    return `bit rot in ${file} at ${position}`
  }

  rotStore(): string {
    this.#wiped = false
    return this.#states.flipBit(STATE_DIRECTORY) ? 'bit rot in the state store' : 'no row to damage'
  }

  /** Asks the node to hand over what it leads of these groups. */
  transferLeadership(groups: readonly number[]): void {
    this.#process.receive('transfer', groups.length, () => {
      for (const group of groups) this.#started?.transferLeadership(group)
    })
  }

  /** Asks the node that the group shall be on these nodes; `accepted` gets the change's id, refusals are silent. */
  changeMembership(group: number, nodes: readonly string[], accepted: (id: number) => void): void {
    this.#ask((node) => node.changeMembership(group, nodes), accepted)
  }

  cancelMembershipChange(group: number, change: number): void {
    this.#ask(
      (node) => node.cancelMembershipChange(group, change),
      () => {},
    )
  }

  /** Whether this node runs and has lately heard of the other. */
  hears(other: string): boolean {
    const known = this.status()?.nodes.find(({ name }) => name === other)
    return typeof known?.heardMsAgo === 'number' && known.heardMsAgo < HEARD_MS
  }

  /** A node that is down loses its directory. */
  wipe(): void {
    this.#world.note(this.name, 'WIPED')
    this.#wiped = true
    this.#disk = this.#newDisk()
    this.#states = this.#newStates()
  }

  /** Of a node that is down. */
  copyDirectory(): DirectoryCopy {
    return { disk: this.#disk.copy(), rows: this.#states.rows(STATE_DIRECTORY) }
  }

  restoreDirectory({ disk, rows }: DirectoryCopy): void {
    this.#disk = this.#watch(disk)
    this.#states = this.#newStates()
    for (const [key, value] of rows) this.#states.tamper(STATE_DIRECTORY, key, value)
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
      maxBytes: this.#options.maxBytes,
      removed: this.#options.removed,
      settings,
      runtime: {
        clock: process.clock,
        timers: process.timers,
        random: new SeededRandom(world.seed, `${name}/${this.#life}`),
        disk: this.#disk.disk,
        network: createProcessNetwork(process, world.hub.networkFor(name), world),
      },
      openStateStore: this.#states.open,
      log: ({ code, ...facts }) => {
        if (process.alive) world.note(name, `${code} ${JSON.stringify(facts)}`)
      },
    })
    world.note(name, `start (life ${this.#life})`)
    process.receive('start', this.#life, () => {
      node.start().then(
        () => {
          if (!process.alive) return
          this.#started = node
          world.nodeStarted?.(name)
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
    this.#disk.crash({ powerLoss })
    this.#states.crash({ powerLoss })
  }

  /** Null while it does not run, is paused, or has not recovered. */
  status(): NodeStatus | null {
    return this.#process.alive && !this.#process.paused ? (this.#started?.status() ?? null) : null
  }

  #ask(request: (node: QuorateNode) => Promise<number>, accepted: (id: number) => void): void {
    this.#process.receive('operator', 0, () => {
      if (this.#started !== null) request(this.#started).then(accepted, () => {})
    })
  }

  #watch(disk: MemoryDisk): MemoryDisk {
    disk.onBoundary = (operation, path) => {
      if (operation === 'sync') this.#syncs += 1
      for (const hook of this.hooks) hook(operation, path)
    }
    disk.onDurable = (path, bytes) => {
      if (path.startsWith(LOG_DIRECTORY)) this.#world.logSynced?.(this.name, bytes)
    }
    return disk
  }

  #newDisk(): MemoryDisk {
    this.#directories += 1
    const random = new SeededRandom(this.#world.seed, `${this.name}/disk/${this.#directories}`)
    return this.#watch(createMemoryDisk({ timers: this.#timers, random }))
  }

  #newStates(): MemoryStateWorld {
    const random = new SeededRandom(this.#world.seed, `${this.name}/state/${this.#directories}`)
    return createMemoryStateWorld({ timers: this.#timers, random })
  }

  #fail(process: SimulatedProcess, what: string, error: unknown): void {
    // A process that is dead by now has nothing to say.
    if (!process.alive) return
    const text = describeCauses(error)
    const byDisk = diskHalt.test(text) || /NO_SPACE/.test(text)
    const byDamage = !byDisk && this.damaged && damageHalt.test(text)
    if (!byDisk && !byDamage) return this.#world.fail(`${this.name} ${what}: ${text}`)
    this.#world.note(this.name, `${what} as it must: ${text}`)
    if (byDisk) this.haltsByDisk.add(process)
    this.crash(false)
    // A directory that is not believed is left to people; a disk may be better the next time.
    if (byDamage) this.refused = true
    else
      this.#world.process.schedule(this.#random.between(100, SUPERVISOR_MS_MAX), 'supervisor', () => {
        if (!this.running) this.start()
      })
  }
}

/** The error with its causes, each with its code. */
function describeCauses(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const code = 'code' in error ? ` [${String(error.code)}]` : ''
  const cause = error.cause === undefined ? '' : ` <- ${describeCauses(error.cause)}`
  return `${error.message}${code}${cause} ${error.stack ?? ''}`
}
