// The command line of the checker.
import { parseArgs } from 'node:util'
import { SEARCH_SECONDS, SEARCH_STEPS } from '../limits.ts'
import type { Model } from '../models/model.ts'
import { modelNamed, models } from '../models/models.ts'

export interface CheckArguments {
  readonly history: string
  readonly model: Model
  readonly report: string | null
  readonly faults: string | null
  readonly json: boolean
  readonly witness: boolean
  readonly seconds: number
  readonly steps: number
}

export class UsageError extends Error {
  override readonly name = 'UsageError'
}

export function usage(): string {
  const known = models.map(({ name, summary }) => `    ${name.padEnd(14)}${summary}`).join('\n')
  return `usage: quorate-check HISTORY --model NAME [options]

  HISTORY            a file of JSON lines, one operation each
  --model NAME       what the operations mean:
${known}
  --report FILE      writes an HTML page that explains the verdict
  --faults FILE      JSON lines of {from, to, label, node}: bands in the report
  --json             prints the verdict as JSON
  --no-witness       does not look at the positions (epoch, version)
  --seconds N        for each key, default ${SEARCH_SECONDS}; then its verdict is unknown
  --steps N          for each key, default ${SEARCH_STEPS}

exit codes: 0 ok, 1 illegal, 2 wrong usage or input, 3 unknown`
}

/** Null: the usage was asked for. Throws `UsageError`. */
export function parseCheckArguments(args: readonly string[]): CheckArguments | null {
  const { values, positionals } = parse(args)
  if (values.help) return null
  const [history, ...more] = positionals
  if (history === undefined || more.length > 0) throw new UsageError('one history is expected')
  if (values.model === undefined) throw new UsageError('--model is missing')
  const model = modelNamed(values.model)
  if (model === undefined) throw new UsageError(`there is no model ${values.model}`)
  return {
    history,
    model,
    report: values.report ?? null,
    faults: values.faults ?? null,
    json: values.json,
    witness: !values['no-witness'],
    seconds: positive('seconds', values.seconds),
    steps: positive('steps', values.steps),
  }
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        model: { type: 'string' },
        report: { type: 'string' },
        faults: { type: 'string' },
        json: { type: 'boolean', default: false },
        'no-witness': { type: 'boolean', default: false },
        seconds: { type: 'string', default: String(SEARCH_SECONDS) },
        steps: { type: 'string', default: String(SEARCH_STEPS) },
        help: { type: 'boolean', default: false },
      },
    })
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error))
  }
}

function positive(flag: string, text: string): number {
  const number = Number(text)
  if (!(number > 0 && Number.isFinite(number)))
    throw new UsageError(`--${flag} is a number above 0, not ${text}`)
  return number
}
