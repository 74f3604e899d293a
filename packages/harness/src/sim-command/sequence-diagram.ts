// A run as a sequence diagram: one self-contained page, a lane for each process, time downwards, the violation at the end.
import { describeOperation, type Violation } from '../check/violation.ts'
import type { ObservedMessage } from '../simulation/observed-message.ts'
import type { TraceLine } from '../simulation/trace.ts'

export interface DiagramInput {
  /** The command that runs it again. */
  readonly replay: string
  readonly lines: readonly TraceLine[]
  readonly messages: readonly ObservedMessage[]
  readonly violations: readonly Violation[]
}

/** More rows nobody reads: the last ones before the violation are shown. */
const ROWS_MAX = 400
/** What happened so long before the first operation of a violation, or before the run knew of it, belongs to it. */
const BEFORE_MS = 2_000
const AFTER_MS = 200
const ROW = 18
const LANE = 190
const LEFT = 90

interface Row {
  readonly timeMs: number
  readonly lane: string
  /** An arrow from there; null: a note in the lane. */
  readonly from: string | null
  readonly text: string
}

export function sequenceDiagram(input: DiagramInput): string {
  const { replay, violations } = input
  const rows = rowsOf(input)
  const lanes = [
    ...new Set(rows.flatMap(({ lane, from }) => (from === null ? [lane] : [lane, from]))),
  ].toSorted((left, right) => rank(left) - rank(right) || (left < right ? -1 : 1))
  const told = violations.flatMap(({ checker, message, operations }) => [
    `${checker}: ${message}`,
    ...operations.map((operation) => `    ${describeOperation(operation)}`),
  ])
  const height = (rows.length + 3) * ROW
  const x = (lane: string): number => LEFT + (lanes.indexOf(lane) + 0.5) * LANE
  const width = LEFT + lanes.length * LANE
  const heads = lanes.map(
    (lane) =>
      `<text class="head" x="${x(lane)}" y="${ROW}">${escape(lane)}</text>` +
      `<line class="lane" x1="${x(lane)}" x2="${x(lane)}" y1="${ROW * 1.5}" y2="${height}"/>`,
  )
  const body = rows.map((row, index) => drawRow(row, (index + 2.5) * ROW, x))
  return `<!doctype html>
<meta charset="utf-8">
<title>${escape(replay)}</title>
<style>${style}</style>
<pre>${escape(replay)}</pre>
<svg width="${width}" height="${height}" font-family="monospace" font-size="11">
<defs><marker id="tip" viewBox="0 0 6 6" refX="6" refY="3" markerWidth="7" markerHeight="7" orient="auto"><path d="M0 0L6 3L0 6z"/></marker></defs>
${[...heads, ...body].join('\n')}
</svg>
<pre class="violation">${told.map(escape).join('\n') || 'no violation'}</pre>
`
}

const style = `body{font-family:monospace}.head{font-weight:bold;text-anchor:middle}.lane{stroke:#ccc}
.arrow{stroke:#357;marker-end:url(#tip)}.note{text-anchor:middle}.fault{fill:#b50;font-weight:bold}
.violation{fill:#c00;color:#c00;font-weight:bold}.time{fill:#888}.message{text-anchor:middle;fill:#357}`

/** Faults of the whole run; of the rest what is near the violation and, where it is known, of its shard. */
function rowsOf({ lines, messages, violations }: DiagramInput): Row[] {
  const { fromMs, toMs, groups } = focus(lines, violations)
  const near = ({ timeMs }: { readonly timeMs: number }): boolean => timeMs >= fromMs && timeMs <= toMs
  const notes = lines
    .filter((line) => near(line) || /^(fault|healed|VIOLATION) /.test(line.text))
    .map(({ timeMs, process, text }): Row => ({ timeMs, lane: process, from: null, text }))
  const arrows = messages
    .filter((message) => near(message) && (groups.size === 0 || groups.has(message.group)))
    .map(({ timeMs, from, to, group, text }): Row => ({ timeMs, lane: to, from, text: `g${group} ${text}` }))
  const operations = violations
    .flatMap((violation) => violation.operations)
    .flatMap((operation): Row[] => {
      const { process, f, key, argument, callMs, returnMs, seen, type } = operation
      const call = {
        timeMs: callMs,
        lane: process,
        from: null,
        text: `calls ${f} ${key} ${String(argument ?? '')}`,
      }
      if (returnMs === null) return [call]
      return [
        call,
        { timeMs: returnMs, lane: process, from: null, text: `${type} ${f} ${key}: ${String(seen?.value)}` },
      ]
    })
  const ordered = [...notes, ...arrows, ...operations].toSorted((left, right) => left.timeMs - right.timeMs)
  const last = ordered.findLastIndex(({ timeMs }) => timeMs <= toMs) + 1
  return ordered.slice(Math.max(0, last - ROWS_MAX), last)
}

/** Where to look: around the operations that prove it, else before the run knew, else at the end. */
function focus(
  lines: readonly TraceLine[],
  violations: readonly Violation[],
): { readonly fromMs: number; readonly toMs: number; readonly groups: ReadonlySet<number> } {
  const operations = violations.flatMap((violation) => violation.operations)
  const known = lines.find(({ text }) => text.startsWith('VIOLATION'))
  const shards = operations.map(({ shard }) => shard)
  const groups = new Set(shards.includes(null) ? [] : shards.filter((shard) => shard !== null))
  const end = known?.timeMs ?? lines.at(-1)?.timeMs ?? 0
  const calls = operations.map(({ callMs }) => callMs)
  const fromMs = (calls.length > 0 ? Math.min(...calls) : end) - BEFORE_MS
  const returns = operations.map(({ callMs, returnMs }) => returnMs ?? callMs)
  return { fromMs, toMs: (returns.length > 0 ? Math.max(...returns) : end) + AFTER_MS, groups }
}

function drawRow({ timeMs, lane, from, text }: Row, y: number, x: (lane: string) => number): string {
  const time = `<text class="time" x="4" y="${y}">${(timeMs / 1000).toFixed(4)}</text>`
  if (from === null) {
    const kind = text.startsWith('VIOLATION') ? 'violation' : lane === 'world' ? 'fault' : 'note'
    return `${time}<text class="${kind}" x="${lane === 'world' ? LEFT : x(lane)}" y="${y}">${escape(text)}</text>`
  }
  const middle = (x(from) + x(lane)) / 2
  return (
    `${time}<line class="arrow" x1="${x(from)}" x2="${x(lane)}" y1="${y}" y2="${y}"/>` +
    `<text class="message" x="${middle}" y="${y - 3}">${escape(text)}</text>`
  )
}

/** Faults to the left, then nodes, then clients. */
function rank(lane: string): number {
  return lane === 'world' ? 0 : lane.startsWith('n') ? 1 : 2
}

function escape(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
}
