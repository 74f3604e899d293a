// A failing seed becomes a short schedule that still fails, and a picture of what then happens: both files, one next to the other.
import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { formatSchedule, type ScheduledFault } from '../schedule/schedule.ts'
import type { SeedResult } from '../simulation/run-seed.ts'
import type { TraceLine } from '../simulation/trace.ts'
import type { ObservedMessage } from '../simulation/observed-message.ts'
import type { SeedOrder, Watchers } from './run-order.ts'
import { sequenceDiagram } from './sequence-diagram.ts'
import { shrinkFaults } from './shrink.ts'

/** Runs spent on one seed. */
const RUNS_MAX = 24

export interface ShrinkOptions {
  readonly order: SeedOrder
  /** Directory for the files. */
  readonly out: string
  readonly print: (line: string) => void
  /** Runs an order in a process of its own; null if that gave no result. */
  readonly run: (order: SeedOrder) => Promise<SeedResult | null>
  /** Runs an order here, and tells what happens. */
  readonly watch: (order: SeedOrder, watchers: Watchers) => Promise<SeedResult>
}

/** `result` is what the order gave: a run with violations. */
export async function shrinkSeed(result: SeedResult, options: ShrinkOptions): Promise<void> {
  const { order, out, print, run, watch } = options
  const { seed, shards } = order
  const checkers = new Set(result.violations.map(({ checker }) => checker))
  const orderOf = (faults: readonly ScheduledFault[]): SeedOrder => ({
    seed,
    shards,
    schedule: formatSchedule(faults),
  })
  // One that fails for another reason is another bug.
  const fails = async (faults: readonly ScheduledFault[]): Promise<boolean> =>
    (await run(orderOf(faults)))?.violations.some(({ checker }) => checkers.has(checker)) === true
  const { faults, runs } = await shrinkFaults(result.schedule, fails, RUNS_MAX)
  const file = path.join(out, `seed-${seed}.schedule`)
  const replay = `${replayCommand(shards)} --seed ${seed} --schedule ${file}`
  print(
    `seed ${seed} still fails with ${faults.length} of its ${result.schedule.length} faults (${runs} runs):`,
  )
  if (faults.length > 0) print(formatSchedule(faults).trimEnd().replaceAll(/^/gm, '  '))
  writeFileSync(file, `# ${replay}\n${formatSchedule(faults)}`)
  const lines: TraceLine[] = []
  const messages: ObservedMessage[] = []
  const last = await watch(orderOf(faults), {
    sink: (line) => lines.push(line),
    message: (message) => messages.push(message),
  })
  const picture = path.join(out, `seed-${seed}.html`)
  writeFileSync(picture, sequenceDiagram({ replay, lines, messages, violations: last.violations }))
  print(`  written: ${file}, ${picture}`)
  print(`  ${replay}`)
}

/** What runs the simulator, up to the seed. */
export function replayCommand(shards: number | undefined): string {
  return `node packages/harness/dist/main-sim.js${shards === undefined ? '' : ` --shards ${shards}`}`
}
