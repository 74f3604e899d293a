// How answers and failures are written: a person's form, and JSON with one document per line.
import { QuorateError } from '@quorate/protocol'
import { UsageError } from './exit-code.ts'

export const outputFormats = ['table', 'json'] as const
export type OutputFormat = (typeof outputFormats)[number]

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

/** `get`: a string bare, so that it can be piped; anything else as JSON. */
export function formatValue(value: unknown): string {
  return typeof value === 'string' ? value : toJson(value)
}

/** A failure for stderr: its code, what is known of the outcome, and what to do. */
export function formatError(error: unknown, format: OutputFormat): string {
  const message = error instanceof Error ? error.message : String(error)
  const hint = error instanceof QuorateError || error instanceof UsageError ? error.hint : undefined
  const code = error instanceof QuorateError ? error.code : error instanceof UsageError ? 'USAGE' : 'FAILED'
  const outcome = error instanceof QuorateError ? error.outcome : 'not-done'
  if (format === 'json') return `${toJson({ code, outcome, message, hint })}\n`
  const headline = code === 'USAGE' || code === 'FAILED' ? message : `${code} (${outcome}): ${message}`
  return `error: ${headline}\n${hint === undefined ? '' : `hint: ${hint}\n`}`
}

/** Columns padded to their widest cell. */
export function formatTable(rows: readonly (readonly string[])[]): string {
  const widths: number[] = []
  for (const row of rows)
    for (const [column, cell] of row.entries()) widths[column] = Math.max(widths[column] ?? 0, cell.length)
  const lines = rows.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  '))
  return lines.map((line) => `${line.trimEnd()}\n`).join('')
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
