// `quorate-check`: from arguments to an exit code.
import { writeFileSync } from 'node:fs'
import { type Fault, readFaults } from '../history/fault.ts'
import { HistoryError } from '../history/history-error.ts'
import { type History, readHistory } from '../index.ts'
import { formatHtml } from '../report/html.ts'
import { formatJson } from '../report/json.ts'
import { formatText } from '../report/text.ts'
import { checkHistory } from '../verdict/check.ts'
import type { Verdict } from '../verdict/verdict.ts'
import { type CheckArguments, parseCheckArguments, usage, UsageError } from './arguments.ts'

export const EXIT_USAGE = 2
/** A verdict that is not known fails like one that is wrong. */
export const exitCodes: Readonly<Record<Verdict, number>> = { ok: 0, illegal: 1, unknown: 3 }

export interface Output {
  out(text: string): void
  error(text: string): void
}

export function runCheck(args: readonly string[], output: Output): number {
  try {
    const parsed = parseCheckArguments(args)
    if (parsed !== null) return check(parsed, output)
    output.out(usage())
    return 0
  } catch (error) {
    if (error instanceof UsageError) output.error(`${error.message}\n\n${usage()}`)
    else if (error instanceof HistoryError || isSystemError(error)) output.error(error.message)
    else throw error
    return EXIT_USAGE
  }
}

function check(parsed: CheckArguments, output: Output): number {
  const faults: Fault[] =
    parsed.faults === null ? [] : read(parsed.faults, () => readFaults(parsed.faults ?? ''))
  const history: History = read(parsed.history, () => readHistory(parsed.history, parsed.model))
  const { seconds, steps, witness } = parsed
  const verdict = checkHistory(history, { seconds, steps, witness })
  if (parsed.report !== null) writeFileSync(parsed.report, formatHtml(history, verdict, faults))
  output.out((parsed.json ? formatJson : formatText)(history, verdict))
  return exitCodes[verdict.verdict]
}

/** A line number is worth little without its file. */
function read<T>(path: string, readFile: () => T): T {
  try {
    return readFile()
  } catch (error) {
    if (error instanceof HistoryError) error.message = `${path}: ${error.message}`
    throw error
  }
}

function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'syscall' in error
}
