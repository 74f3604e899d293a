// A load process as its benchmark sees it.
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { killAtExit } from '../children.ts'
import type { LoadResult } from '../measurement.ts'
import type { ClientFigures, LoadOrder, LoadReport, LoadTask } from './messages.ts'

const program = fileURLToPath(new URL('../main-load.js', import.meta.url))

/** Far above what any order takes. */
const SILENCE_MS_MAX = 60_000

export interface Loaded {
  readonly result: LoadResult
  readonly client: ClientFigures
  /** All that succeeded between two moments of rest, before and after the measured time as well. */
  readonly succeeded: number
}

/** Called when the measured time begins and when it has ended: for what else is to be measured over it. */
export interface Window {
  begins(): Promise<void>
  ended(): Promise<void>
}

export class LoadProcess {
  readonly #child: ChildProcess
  /** Reports that nobody waited for yet. */
  readonly #heard: LoadReport[] = []
  #wake: () => void = () => {}

  private constructor(child: ChildProcess) {
    this.#child = child
    child.on('message', (report: LoadReport) => {
      this.#heard.push(report)
      this.#wake()
    })
    child.on('exit', () => this.#wake())
  }

  static async start(system: 'quorate' | 'ceiling', endpoints: readonly string[]): Promise<LoadProcess> {
    const child = fork(program, [system, ...endpoints])
    killAtExit(child)
    const load = new LoadProcess(child)
    await load.#hear('ready', SILENCE_MS_MAX)
    return load
  }

  async fill(keys: number, valueBytes: number): Promise<void> {
    this.#tell({ type: 'fill', keys, valueBytes })
    // Many keys take their time.
    await this.#hear('filled', SILENCE_MS_MAX + keys)
  }

  async measure(task: LoadTask, window: Window): Promise<Loaded> {
    this.#tell({ type: 'load', task })
    await this.#hear('warm', SILENCE_MS_MAX)
    await window.begins()
    this.#tell({ type: 'begin' })
    const { result, client } = await this.#hear('measured', SILENCE_MS_MAX + task.measuredMs)
    await window.ended()
    const { succeeded } = await this.#hear('drained', SILENCE_MS_MAX)
    return { result, client, succeeded }
  }

  async close(): Promise<void> {
    if (this.#child.exitCode !== null) return
    const gone = once(this.#child, 'exit')
    this.#tell({ type: 'close' })
    await gone
  }

  #tell(order: LoadOrder): void {
    this.#child.send(order)
  }

  async #hear<Type extends LoadReport['type']>(
    type: Type,
    silenceMs: number,
  ): Promise<Extract<LoadReport, { type: Type }>> {
    if (this.#heard.length === 0) await this.#somethingHappened(silenceMs)
    const report = this.#heard.shift()
    if (report === undefined)
      throw new Error(`the load process is silent, its exit code ${this.#child.exitCode}`)
    if (report.type === 'failed') throw new Error(`the load process failed: ${report.message}`)
    if (report.type !== type) throw new Error(`the load process said ${report.type} instead of ${type}`)
    return report as Extract<LoadReport, { type: Type }>
  }

  #somethingHappened(silenceMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, silenceMs)
      this.#wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }
}
