// A system under measurement, as the benchmark sees it: three servers, and something that loads them.
import type { ChildProcess } from 'node:child_process'
import type { SystemName, SystemRun, Work } from './measurement.ts'

export interface LoadSettings {
  readonly keys: number
  readonly valueBytes: number
  readonly warmMs: number
  readonly measuredMs: number
  readonly seed: number
}

export interface System {
  readonly name: SystemName
  /** Of the software, for the report. */
  readonly version: string
  serverPids(): number[]
  measure(work: Work, run: number): Promise<SystemRun>
  stop(): Promise<void>
}

/** CPU time that a child process has had can be read by its id. */
export function pidsOf(children: readonly ChildProcess[]): number[] {
  return children.flatMap(({ pid }) => pid ?? [])
}

/** Every run draws other keys, the same for every system. */
export function seedOf(settings: LoadSettings, run: number): number {
  return settings.seed + run
}
