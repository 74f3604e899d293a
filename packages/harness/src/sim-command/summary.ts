// What many runs come to: how much was simulated and checked, which faults bit, which seeds failed and how to replay them.
import type { SeedResult } from '../simulation/run-seed.ts'
import { describeResult } from './readable-run.ts'
import type { SeedReport } from './worker-pool.ts'

export class Summary {
  readonly #started = performance.now()
  readonly #results: SeedResult[] = []
  readonly #failing = new Map<number, string[]>()

  add(report: SeedReport): void {
    if ('error' in report) {
      this.fail(report.seed, report.error)
      return
    }
    this.#results.push(report.result)
    if (report.result.violations.length > 0) this.#failing.set(report.seed, describeResult(report.result))
  }

  fail(seed: number, reason: string): void {
    this.#failing.set(seed, [...(this.#failing.get(seed) ?? []), `seed ${seed}: ${reason}`])
  }

  get ok(): boolean {
    return this.#failing.size === 0
  }

  /** Runs that a checker found fault with. */
  get violating(): SeedResult[] {
    return this.#results.filter(({ violations }) => violations.length > 0)
  }

  lines(replayCommand: string): string[] {
    const total = (value: (result: SeedResult) => number): number =>
      this.#results.reduce((sum, result) => sum + value(result), 0)
    const simulatedSeconds = total(({ simulatedMs }) => simulatedMs) / 1000
    const cpuSeconds = total(({ cpuMs }) => cpuMs) / 1000
    const realSeconds = (performance.now() - this.#started) / 1000
    const faults = new Map<string, number>()
    for (const result of this.#results)
      for (const [kind, count] of Object.entries(result.faults))
        faults.set(kind, (faults.get(kind) ?? 0) + count)
    return [
      ...[...this.#failing.values()].flat(),
      `runs ${this.#results.length}, simulated ${simulatedSeconds.toFixed(0)} s in ${realSeconds.toFixed(0)} s: ` +
        `${(simulatedSeconds / realSeconds).toFixed(1)} simulated seconds per real second, ` +
        `${(simulatedSeconds / cpuSeconds).toFixed(1)} per second of a core`,
      `events ${total(({ events }) => events)}, ${(total(({ events }) => events) / realSeconds).toFixed(0)} a second; ` +
        `operations ${(total(({ counts }) => counts.ok) / realSeconds).toFixed(1)} a second`,
      `faults ${[...faults].map(([kind, count]) => `${kind} ${count}`).join(', ') || 'none'}`,
      `operations checked ${total(({ counts }) => counts.ok)}, failed ${total(({ counts }) => counts.fail)}, ` +
        `unknown ${total(({ counts }) => counts.info)}; state hashes compared ${total((result) => result.hashesCompared)}, ` +
        `writes found on the disks ${total(({ durableJudged }) => durableJudged)}; ` +
        `evictions ${total(({ evictions }) => evictions)}`,
      `of them read by lease ${total(({ relaxed }) => relaxed.lease)}, stale ${total(({ relaxed }) => relaxed.stale)} ` +
        `(${total(({ relaxed }) => relaxed.dated)} with an age)`,
      this.ok ? 'verdict: ok' : `verdict: ${this.#failing.size} seeds fail`,
      ...[...this.#failing.keys()].map((seed) => `  ${replayCommand} --seed ${seed}`),
    ]
  }
}
