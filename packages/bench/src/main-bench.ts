// `npm run bench`: measures Quorate beside its rulers, or with `--scale` against itself at other sizes; prints tables and the
// targets, and with `--json FILE` a line of JSON per measurement. Asserts nothing unless `--check` is given.
import { mkdirSync } from 'node:fs'
import process from 'node:process'
import { type BenchOptions, parseBenchOptions } from './arguments.ts'
import { compare } from './compare.ts'
import { describeMachine } from './machine.ts'
import { median } from './measurement.ts'
import { summariseProfiles } from './profile/summarise.ts'
import { printLine, progress } from './report/print.ts'
import { targetTable } from './report/report.ts'
import { Results } from './report/results.ts'
import { judge, targets } from './report/targets.ts'
import { scale } from './scale/scale.ts'
import { makeWorkDirectory } from './work-directory.ts'

const PROFILE_LINES = 25

async function main(options: BenchOptions): Promise<number> {
  const machine = describeMachine()
  const { runs, measuredMs, warmMs, valueBytes, keys, shards, seed } = options
  const settings = { seed, runs, seconds: measuredMs / 1_000, valueBytes, ...machine }
  if (options.profile !== undefined) mkdirSync(options.profile, { recursive: true })
  const directory = makeWorkDirectory(options.directory)
  printLine(
    `${machine.cpus} CPUs for all servers and the client, Node ${machine.node}, ${machine.platform}; data in ${directory}\n` +
      `medians of ${runs} runs of ${measuredMs / 1_000} s after ${warmMs / 1_000} s, ` +
      `${keys} keys, ${valueBytes}-byte values, ${shards} shards, seed ${seed}\n`,
  )
  const results = new Results(options.json, settings)
  await (options.scale ? scale(options, directory, results) : compare(options, directory, results))
  const foreign = median(results.loads.flatMap(({ foreignCpu }) => foreignCpu ?? []))
  if (!Number.isNaN(foreign))
    printLine(`\nCPUs in use just before a measurement: ${Math.round(foreign * 100)} % (median)`)
  if (options.profile !== undefined) printLine(`\n${summariseProfiles(options.profile, PROFILE_LINES)}`)
  printLine(`\n${targetTable(results)}`)
  return options.check && targets.some((target) => judge(target, target.first, results) === 'not met') ? 1 : 0
}

try {
  // Servers and clients that a failure left behind end with this process.
  process.exit(await main(parseBenchOptions(process.argv.slice(2))))
} catch (error) {
  progress(`FAILED ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`)
  process.exit(1)
}
