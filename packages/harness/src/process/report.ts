// How the fault tests on processes speak: progress on stderr, the outcome on stdout, the exit code from the violations.
import { describeOperation, type Violation } from '../check/violation.ts'
import type { Operation } from '../workload/history.ts'
import type { LoadVerdict } from './load-run.ts'

/** More of them say nothing new. */
const SHOWN_MAX = 10
const UNKNOWN_SHOWN_MAX = 5
/** What a machine that lacks something exits with: neither proved nor disproved. */
const EXIT_SKIPPED = 77

export function progress(text: string): void {
  process.stderr.write(`${text}\n`)
}

export function printLine(text: string): void {
  process.stdout.write(`${text}\n`)
}

export function printVerdict({ counts, errors, violations }: LoadVerdict): void {
  printLine(`operations ok ${counts.ok}, failed ${counts.fail}, unknown ${counts.info}`)
  for (const [error, count] of errors) printLine(`  ${error} ${count}`)
  printViolations(violations)
}

export function printViolations(violations: readonly Violation[]): void {
  for (const { checker, message, operations } of violations.slice(0, SHOWN_MAX)) {
    printLine(`VIOLATION ${checker}: ${message}`)
    for (const operation of operations) printLine(`  ${describeOperation(operation)}`)
  }
  if (violations.length > SHOWN_MAX) printLine(`... and ${violations.length - SHOWN_MAX} more`)
  printLine(violations.length === 0 ? 'verdict: ok' : `verdict: ${violations.length} violations`)
}

/** Clients repeat what they can: while a majority serves, no outcome is unknown. */
export function unknownOutcomes(history: readonly Operation[]): Violation[] {
  const unknown = history.filter(({ type }) => type === 'info')
  if (unknown.length === 0) return []
  const message = `${unknown.length} operations have an unknown outcome, expected none`
  return [{ checker: 'outcome', message, operations: unknown.slice(0, UNKNOWN_SHOWN_MAX) }]
}

/** Says loudly what this machine cannot do; the exit code for it. */
export function skip(reason: string): number {
  printLine(`SKIPPED: ${reason}`)
  return EXIT_SKIPPED
}

/** Runs a program's main function: its answer is the exit code; what it throws is a message and code 1. Children die with it. */
export async function runMain(main: () => Promise<number>): Promise<void> {
  let code = 1
  try {
    code = await main()
  } catch (error) {
    printLine(`FAILED ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`)
  }
  // Nodes that a failure left behind would keep this process alive: they are killed by its end.
  process.exit(code)
}
