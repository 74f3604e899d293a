// How answers and failures are written: a person's form, and forms for programs.
import { QuorateError } from '@quorate/protocol'
import { paint, type Style } from './color.ts'
import { UsageError } from './exit-code.ts'

export const outputFormats = ['table', 'json', 'jsonl', 'yaml', 'name'] as const
export type OutputFormat = (typeof outputFormats)[number]

interface Printing {
  readonly out: (text: string) => void
}

/** One answer: what a person reads may be nothing at all. */
export async function printOne(
  context: Printing,
  { output }: { readonly output: OutputFormat },
  answer: {
    readonly record: Readonly<Record<string, unknown>>
    readonly table: string
    /** What `-o name` prints: the thing that was found or changed; null where there was none. */
    readonly name: string | null
  },
): Promise<void> {
  switch (output) {
    case 'table':
      return context.out(answer.table)
    case 'name':
      return context.out(answer.name === null ? '' : `${answer.name}\n`)
    case 'yaml':
      return context.out(await toYaml(answer.record))
    case 'json':
    case 'jsonl':
      return context.out(`${toJson(answer.record)}\n`)
  }
}

/** Many of a kind: `json` is one array on one line, `jsonl` one line each. */
export async function printList(
  context: Printing,
  { output }: { readonly output: OutputFormat },
  answer: {
    readonly records: readonly unknown[]
    readonly names: readonly string[]
    readonly table: () => string
  },
): Promise<void> {
  switch (output) {
    case 'table':
      return context.out(answer.table())
    case 'name':
      return context.out(answer.names.map((name) => `${name}\n`).join(''))
    case 'yaml':
      return context.out(await toYaml(answer.records))
    case 'json':
      return context.out(`${toJson(answer.records)}\n`)
    case 'jsonl':
      return context.out(answer.records.map((record) => `${toJson(record)}\n`).join(''))
  }
}

/** One line of JSON. Bytes are `{ "base64": ... }` and integers beyond 2^53 are strings: JSON has neither. */
export function toJson(value: unknown): string {
  return JSON.stringify(value, (_key, field: unknown) => {
    if (typeof field === 'bigint') return String(field)
    if (field instanceof Uint8Array) return { base64: Buffer.from(field).toString('base64') }
    // A Buffer has already turned itself into `{ type, data }` here.
    if (isBufferJson(field)) return { base64: Buffer.from(field.data).toString('base64') }
    return field
  })
}

/** What JSON would say, as YAML; loaded only by who wants it. */
async function toYaml(value: unknown): Promise<string> {
  const { stringify } = await import('yaml')
  return stringify(JSON.parse(toJson(value)), { lineWidth: 0 })
}

/** `get`: a string bare, so that it can be piped; anything else as JSON. */
export function formatValue(value: unknown): string {
  return typeof value === 'string' ? value : toJson(value)
}

/** A failure for stderr: its code, what is known of the outcome, and what to do. */
export function formatError(error: unknown, format: OutputFormat, color: boolean = false): string {
  const message = error instanceof Error ? error.message : String(error)
  const hint = error instanceof QuorateError || error instanceof UsageError ? error.hint : undefined
  const code = error instanceof QuorateError ? error.code : error instanceof UsageError ? 'USAGE' : 'FAILED'
  const outcome = error instanceof QuorateError ? error.outcome : 'not-done'
  if (format === 'json' || format === 'jsonl') return `${toJson({ code, outcome, message, hint })}\n`
  const headline = code === 'USAGE' || code === 'FAILED' ? message : `${code} (${outcome}): ${message}`
  return `${paint('error:', 'red', color)} ${headline}\n${hint === undefined ? '' : `hint: ${hint}\n`}`
}

/** A cell and how it looks where there are colours. */
export interface StyledCell {
  readonly text: string
  readonly style: Style | null
}
export type Cell = string | StyledCell

const textOf = (cell: Cell): string => (typeof cell === 'string' ? cell : cell.text)

/** Columns padded to their widest cell. Nothing in a cell can move the cursor: control characters are shown as `?`. */
export function formatTable(rows: readonly (readonly Cell[])[], color: boolean = false): string {
  const widths: number[] = []
  for (const row of rows)
    for (const [column, cell] of row.entries())
      widths[column] = Math.max(widths[column] ?? 0, textOf(cell).length)
  return rows
    .map((row, line) => {
      const last = row.findLastIndex((cell) => textOf(cell) !== '')
      const cells = row.slice(0, last + 1).map((cell, column) => {
        // oxlint-disable-next-line no-control-regex -- these are what is looked for
        const text = textOf(cell).replaceAll(/[\u0000-\u001f\u007f-\u009f]/g, '?')
        const padded = column === last ? text : text.padEnd(widths[column] ?? 0)
        return paint(padded, line === 0 ? 'bold' : typeof cell === 'string' ? null : cell.style, color)
      })
      return `${cells.join('  ')}\n`
    })
    .join('')
}

function isBufferJson(field: unknown): field is { type: 'Buffer'; data: number[] } {
  return (
    typeof field === 'object' &&
    field !== null &&
    Object.keys(field).length === 2 &&
    'type' in field &&
    field.type === 'Buffer' &&
    'data' in field &&
    Array.isArray(field.data)
  )
}
