// The log of a node: one line of JSON per event on stderr, first the time and a stable code.
import type { NodeEvent } from '@quorate/node'
import { toJson } from '../output.ts'

export function logLine(node: string, { code, ...facts }: NodeEvent, at: Date): string {
  const shown = Object.entries(facts).map(([name, fact]) => [
    name,
    // An Error's fields are not enumerable: JSON would show `{}`.
    fact instanceof Error ? `${fact.name}: ${fact.message}` : fact,
  ])
  return `${toJson({ time: at.toISOString(), node, code, ...Object.fromEntries(shown) })}\n`
}
