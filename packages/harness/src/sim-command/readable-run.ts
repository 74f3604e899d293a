// One run for a reader: a line per event that matters, a column per node, then the verdict.
import { describeOperation } from '../check/violation.ts'
import type { SeedResult } from '../simulation/run-seed.ts'
import { runOrder, type SeedOrder } from './run-order.ts'
import type { TraceLine } from '../simulation/trace.ts'

const COLUMN_WIDTH = 26
/** `world` and as many nodes as a run can have; clients share one column. */
const columns = ['world', 'n1', 'n2', 'n3', 'n4', 'n5'] as const

export async function printReadableRun(
  { seed, shards, schedule }: SeedOrder,
  print: (line: string) => void,
): Promise<SeedResult> {
  print(['     time', ...columns.map((name) => name.padEnd(COLUMN_WIDTH)), 'client'].join(' | '))
  const result = await runOrder({ seed, shards, schedule }, { sink: (line) => print(formatLine(line)) })
  for (const line of describeResult(result)) print(line)
  return result
}

/** Events that do not fit their column go on to the right: nothing is cut off. */
function formatLine({ timeMs, process, text }: TraceLine): string {
  const time = (timeMs / 1000).toFixed(4).padStart(9)
  const column = columns.findIndex((name) => name === process)
  if (column < 0) return `${time} | ${' '.repeat((COLUMN_WIDTH + 3) * columns.length)}${process} ${text}`
  return `${time} | ${' '.repeat((COLUMN_WIDTH + 3) * column)}${text}`
}

export function describeResult(result: SeedResult): string[] {
  const { seed, plan, counts, violations, traceHash, events, simulatedMs, faults } = result
  return [
    `seed ${seed}: ${plan.nodes} nodes, ${plan.shards} shards, ${(simulatedMs / 1000).toFixed(1)} simulated s, ${events} events, ` +
      `${counts.ok} ok, ${counts.fail} fail, ${counts.info} unknown`,
    `  faults ${JSON.stringify(faults)}`,
    ...violations.flatMap(({ checker, message, operations }) => [
      `  VIOLATION ${checker}: ${message}`,
      ...operations.map((operation) => `    ${describeOperation(operation)}`),
    ]),
    `  trace ${traceHash}`,
    violations.length === 0 ? `seed ${seed}: ok` : `seed ${seed}: ${violations.length} violations`,
  ]
}
