// What everything in one simulated run shares: time, trace, weather, network, and the list of what went wrong.
import { createMemoryNetwork, type MemoryHub } from '@quorate/transport'
import type { Violation } from '../check/violation.ts'
import { SeededRandom } from './seeded-random.ts'
import { SimulatedProcess } from './simulated-process.ts'
import type { Trace } from './trace.ts'
import { VirtualTime } from './virtual-time.ts'
import { Weather } from './weather.ts'

/** A dial into a partition hangs this long. */
const DIAL_TIMEOUT_MS = 2_000

/** How often a condition on the whole cluster is looked at. */
const POLL_MS = 10

export class World {
  readonly seed: number
  readonly trace: Trace
  readonly time: VirtualTime
  readonly weather: Weather
  readonly hub: MemoryHub
  /** Where faults and the network itself live: never dies. */
  readonly process: SimulatedProcess
  readonly violations: Violation[] = []
  /** Somebody who listens on the wire: hosts, and bytes that are the receiver's again when it returns. */
  frameArrived: ((from: string, to: string, bytes: Uint8Array) => void) | null = null
  /** A node has recovered: what it says now is what its directory held. */
  nodeStarted: ((machine: string) => void) | null = null
  /** Somebody who looks at the disks: bytes of a machine's log that are durable now. */
  logSynced: ((machine: string, bytes: Uint8Array) => void) | null = null

  constructor(seed: number, trace: Trace, isNode: (host: string) => boolean) {
    this.seed = seed
    this.trace = trace
    this.time = new VirtualTime(trace)
    this.process = new SimulatedProcess('world', this.time)
    this.weather = new Weather(new SeededRandom(seed, 'weather'), isNode)
    this.hub = createMemoryNetwork({
      timers: this.process.timers,
      random: new SeededRandom(seed, 'network'),
      dialTimeoutMs: DIAL_TIMEOUT_MS,
      latencyMs: 0.1,
      // The processes' own networks do it.
      scribble: false,
    })
    this.applyWeather()
  }

  /** The hub asks again whom it may reach: what waited goes on. */
  applyWeather(): void {
    const { weather } = this
    this.hub.setFault(
      (from, to, frame) => weather.delays(from, to, frame),
      (from, to) => weather.isLossy(from, to),
    )
    this.hub.partition((from, to) => weather.isSevered(from, to))
  }

  note(process: string, text: string): void {
    this.trace.note(this.time.nowMs, process, text)
  }

  /** The run has failed; it goes on, so that more is seen. */
  fail(message: string): void {
    this.note('world', `VIOLATION ${message}`)
    this.violations.push({ checker: 'run', message, operations: [] })
  }

  /** Runs until `done`, at most `budgetMs` of virtual time; whether it was done. Asks rarely: a look at every node is dear. */
  async until(done: () => boolean, budgetMs: number): Promise<boolean> {
    let reached = done()
    let askAtMs = this.time.nowMs + POLL_MS
    const ask = (): boolean => {
      if (this.time.nowMs < askAtMs) return false
      askAtMs = this.time.nowMs + POLL_MS
      reached = done()
      return reached
    }
    if (!reached) await this.time.run(this.time.nowMs + budgetMs, ask)
    return reached
  }

  /** Virtual time passes. */
  async pass(durationMs: number): Promise<void> {
    await this.time.run(this.time.nowMs + durationMs)
  }
}
