// `node packages/harness/dist/main-sim.js`: runs seeds of the simulated cluster. Exit code 1 on any violation, 2 on misuse.
import { fileURLToPath } from 'node:url'
import { parseSimArguments, type SimArguments, usage } from './sim-command/arguments.ts'
import { printReadableRun } from './sim-command/readable-run.ts'
import { Summary } from './sim-command/summary.ts'
import { asOrder, otherSurroundings, plainSurroundings, runSeeds } from './sim-command/worker-pool.ts'
import { shrinkFaults } from './sim-command/shrink.ts'
import { runSeed, type SeedResult } from './simulation/run-seed.ts'

/** Failing seeds that are shortened, and runs spent on each. */
const SHRUNK_SEEDS_MAX = 2
const SHRINK_RUNS_MAX = 24

const program = fileURLToPath(import.meta.url)

function print(line: string): void {
  process.stdout.write(`${line}\n`)
}

function serveParent(): void {
  // Without a parent nobody wants the results.
  process.on('disconnect', () => process.exit(1))
  process.on('message', (message: unknown) => {
    const { seed, shards, only } = asOrder(message)
    void runSeed(seed, { shards, only }).then((result) => process.send?.(result))
  })
}

async function runMany({ seeds, jobs, twice, shards, only }: SimArguments): Promise<boolean> {
  const orders = seeds.map((seed) => ({ seed, shards, only }))
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
  const replay = `node packages/harness/dist/main-sim.js${shards === undefined ? '' : ` --shards ${shards}`}`
  for (const line of summary.lines(replay)) print(line)
  for (const result of summary.violating.slice(0, SHRUNK_SEEDS_MAX)) await shrink(result, shards, replay)
  if (twice && summary.ok) print(`${seeds.length} seeds twice: equal traces`)
  return summary.ok
}

/** Prints the shortest schedule of a failing seed that was found, with the command that replays it. */
async function shrink(result: SeedResult, shards: number | undefined, replay: string): Promise<void> {
  const { seed, schedule, violations } = result
  const checkers = new Set(violations.map(({ checker }) => checker))
  const fails = async (only: readonly number[]): Promise<boolean> => {
    let failed = false
    await runSeeds(program, [{ seed, shards, only }], 1, plainSurroundings, (report) => {
      failed = 'result' in report && report.result.violations.some(({ checker }) => checkers.has(checker))
    })
    return failed
  }
  const numbers = schedule.map(({ number }) => number)
  const { faults, runs } = await shrinkFaults(numbers, fails, SHRINK_RUNS_MAX)
  print(`seed ${seed} still fails with ${faults.length} of its ${numbers.length} faults (${runs} runs):`)
  for (const { number, kind, target, atMs } of schedule)
    if (faults.includes(number)) print(`  ${(atMs / 1000).toFixed(3)} s  fault ${number} ${kind} ${target}`)
  print(`  ${replay} --seed ${seed}${faults.length === 0 ? '' : ` --only ${faults.join(',')}`}`)
}

async function main(): Promise<void> {
  let options: SimArguments
  try {
    options = parseSimArguments(process.argv.slice(2))
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n${usage}\n`)
    process.exitCode = 2
    return
  }
  if (options.worker) {
    serveParent()
    return
  }
  const [seed] = options.seeds
  const ok =
    options.readable && seed !== undefined
      ? (await printReadableRun({ ...options, seed }, print)).violations.length === 0
      : await runMany(options)
  process.exitCode = ok ? 0 : 1
}

await main()
