// `node packages/harness/dist/main-sim.js`: runs seeds of the simulated cluster. Exit code 1 on any violation, 2 on misuse.
import { fileURLToPath } from 'node:url'
import { parseSimArguments, type SimArguments, usage } from './sim-command/arguments.ts'
import { printReadableRun } from './sim-command/readable-run.ts'
import { Summary } from './sim-command/summary.ts'
import { asOrder, otherSurroundings, plainSurroundings, runSeeds } from './sim-command/worker-pool.ts'
import { runSeed } from './simulation/run-seed.ts'

const program = fileURLToPath(import.meta.url)

function print(line: string): void {
  process.stdout.write(`${line}\n`)
}

function serveParent(): void {
  // Without a parent nobody wants the results.
  process.on('disconnect', () => process.exit(1))
  process.on('message', (message: unknown) => {
    const { seed, shards } = asOrder(message)
    void runSeed(seed, { shards }).then((result) => process.send?.(result))
  })
}

async function runMany({ seeds, jobs, twice, shards }: SimArguments): Promise<boolean> {
  const orders = seeds.map((seed) => ({ seed, shards }))
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
  for (const line of summary.lines(
    `node packages/harness/dist/main-sim.js${shards === undefined ? '' : ` --shards ${shards}`}`,
  ))
    print(line)
  if (twice && summary.ok) print(`${seeds.length} seeds twice: equal traces`)
  return summary.ok
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
      ? (await printReadableRun(seed, options.shards, print)).violations.length === 0
      : await runMany(options)
  process.exitCode = ok ? 0 : 1
}

await main()
