// `node packages/harness/dist/main-sim.js`: runs seeds of the simulated cluster. Exit code 1 on any violation, 2 on misuse.
import { mkdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { formatSchedule, parseSchedule } from './schedule/schedule.ts'
import { parseSimArguments, type SimArguments, usage } from './sim-command/arguments.ts'
import { describeResult, printReadableRun } from './sim-command/readable-run.ts'
import { asOrder, runOrder, type SeedOrder } from './sim-command/run-order.ts'
import { replayCommand, shrinkSeed } from './sim-command/shrink-seed.ts'
import { Summary } from './sim-command/summary.ts'
import { otherSurroundings, plainSurroundings, runSeeds } from './sim-command/worker-pool.ts'
import type { SeedResult } from './simulation/run-seed.ts'

/** Failing seeds of many that are shortened. */
const SHRUNK_SEEDS_MAX = 2

const program = fileURLToPath(import.meta.url)

function print(line: string): void {
  process.stdout.write(`${line}\n`)
}

function serveParent(): void {
  // Without a parent nobody wants the results.
  process.on('disconnect', () => process.exit(1))
  process.on('message', (message: unknown) => {
    void runOrder(asOrder(message)).then((result) => process.send?.(result))
  })
}

async function runMany(
  { twice, jobs, shards, out }: SimArguments,
  orders: readonly SeedOrder[],
): Promise<boolean> {
  const summary = new Summary()
  const hashes = new Map<number, string>()
  await runSeeds(program, orders, jobs, plainSurroundings, (report) => {
    summary.add(report)
    const ok = 'result' in report && report.result.violations.length === 0
    process.stderr.write(`seed ${report.seed} ${ok ? 'ok' : 'FAILS'}\n`)
    if ('result' in report) hashes.set(report.seed, report.result.traceHash)
  })
  if (twice)
    await runSeeds(program, orders, jobs, otherSurroundings, (report) => {
      if ('error' in report) summary.fail(report.seed, report.error)
      else if (report.result.traceHash !== hashes.get(report.seed))
        summary.fail(
          report.seed,
          `not deterministic: ${hashes.get(report.seed) ?? 'no trace'} and ${report.result.traceHash}`,
        )
    })
  for (const line of summary.lines(replayCommand(shards))) print(line)
  for (const result of summary.violating.slice(0, SHRUNK_SEEDS_MAX))
    await shrink(result, { seed: result.seed, shards }, out)
  if (twice && summary.ok) print(`${orders.length} seeds twice: equal traces`)
  return summary.ok
}

async function runApart(order: SeedOrder): Promise<SeedResult | null> {
  let result: SeedResult | null = null
  await runSeeds(program, [order], 1, plainSurroundings, (report) => {
    if ('result' in report) result = report.result
    else process.stderr.write(`seed ${report.seed}: ${report.error}\n`)
  })
  return result
}

function shrink(result: SeedResult, order: SeedOrder, out: string): Promise<void> {
  mkdirSync(out, { recursive: true })
  return shrinkSeed(result, { order, out, print, run: runApart, watch: runOrder })
}

/** Whether the seed keeps every promise. */
async function runOne({ single, out }: SimArguments, order: SeedOrder): Promise<boolean> {
  if (single === 'tell') return (await printReadableRun(order, print)).violations.length === 0
  const result = await runApart(order)
  if (result === null) return false
  const ok = result.violations.length === 0
  if (single === 'print-schedule') {
    process.stdout.write(formatSchedule(result.schedule))
    if (!ok) process.stderr.write(`${describeResult(result).join('\n')}\n`)
  } else if (ok) print(`seed ${order.seed} does not fail: there is nothing to make short`)
  else {
    for (const line of describeResult(result)) print(line)
    await shrink(result, order, out)
  }
  return ok
}

async function main(): Promise<void> {
  let options: SimArguments
  let schedule: string | undefined
  try {
    options = parseSimArguments(process.argv.slice(2))
    if (options.scheduleFile !== undefined) {
      schedule = readFileSync(options.scheduleFile, 'utf8')
      parseSchedule(schedule)
    }
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n${usage}\n`)
    process.exitCode = 2
    return
  }
  if (options.worker) {
    serveParent()
    return
  }
  const orders = options.seeds.map((seed) => ({ seed, shards: options.shards, schedule }))
  const [order] = orders
  const ok =
    options.single !== null && order !== undefined
      ? await runOne(options, order)
      : await runMany(options, orders)
  process.exitCode = ok ? 0 : 1
}

await main()
