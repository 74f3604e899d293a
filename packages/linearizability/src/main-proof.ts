// `npm run check-proof [-- --histories 10000 --seeds 50 --operations 1000000 --runs 3]`: measures what the checker promises,
// prints a table, exits 1 where a promise is not kept.
import process from 'node:process'
import { parseArgs } from 'node:util'
import { models } from './models/models.ts'
import { checkLongHistory, checkWrongRead, compareWithBruteForce, namedModel } from './proof/measurements.ts'

const WRONG_READ_SECONDS_MAX = 10
/** Of CPU, garbage collection included: on a machine with nothing else to do it takes no longer. */
const LONG_SECONDS_MAX = 20
const LONG_MIB_MAX = 1_024

const { values } = parseArgs({
  options: {
    histories: { type: 'string', default: '10000' },
    seeds: { type: 'string', default: '50' },
    operations: { type: 'string', default: '1000000' },
    runs: { type: 'string', default: '3' },
  },
})

let kept = true
function say(what: string, isKept: boolean, figures: string): void {
  kept &&= isKept
  process.stdout.write(`${isKept ? 'kept  ' : 'BROKEN'}  ${what.padEnd(46)} ${figures}\n`)
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[numbers.length >> 1] ?? NaN
}

for (const model of models) {
  const { checked, illegal, differing } = compareWithBruteForce(model, Number(values.histories))
  const figures = `${checked} histories, ${illegal} illegal, ${differing.length} differ`
  say(
    `${model.name} agrees with brute force`,
    differing.length === 0,
    `${figures} ${differing.slice(0, 5).join(' ')}`,
  )
}
for (const name of ['register', 'cas-register']) {
  const results = Array.from({ length: Number(values.seeds) }, (_, seed) =>
    checkWrongRead(namedModel(name), seed + 1),
  )
  const slowest = Math.max(...results.map(({ seconds }) => seconds))
  const decided = results.filter(({ verdict }) => verdict !== 'unknown').length
  const pointed = results.filter(({ pointsAtIt }) => pointsAtIt).length
  const confirmed = results.filter(({ confirmed: isConfirmed }) => isConfirmed).length
  say(
    `${name}, 2,000 operations, a wrong read`,
    decided === results.length && slowest < WRONG_READ_SECONDS_MAX && pointed === results.length,
    `${decided}/${results.length} decided, ${pointed} blamed alone, ${confirmed} confirmed, slowest ${slowest.toFixed(2)} s`,
  )
}
for (const positions of [false, true]) {
  const runs = checkLongHistory(Number(values.operations), positions, Number(values.runs))
  const seconds = median(runs.map((run) => run.seconds))
  const memory = median(runs.map(({ rssMiB }) => rssMiB))
  const cpu = median(runs.map(({ cpuSeconds }) => cpuSeconds))
  say(
    `${values.operations} operations on one key, ${positions ? 'witness' : 'no positions'}`,
    runs.every(({ verdict }) => verdict === 'ok') && cpu < LONG_SECONDS_MAX && memory < LONG_MIB_MAX,
    `${runs[0]?.engine}, median ${seconds.toFixed(1)} s (${cpu.toFixed(1)} s of CPU), ${memory.toFixed(0)} MiB`,
  )
}
process.exitCode = kept ? 0 : 1
