// Operations as bars in a lane per process, with the faults behind them: one drawing.
import type { Fault } from '../history/fault.ts'
import { escapeHtml } from './escape.ts'
import type { ReportedOperation } from './key-report.ts'

export interface DrawnOperation extends ReportedOperation {
  /** It is in the minimised history. */
  readonly evidence: boolean
}

const LABEL_WIDTH = 130
const CHART_WIDTH = 1_150
const LANE_HEIGHT = 24
const TOP = 34
const NS_PER_MS = 1_000_000
const BAR_LABEL_PX_PER_CHARACTER = 6.2

/** An SVG element. Empty where there is nothing to draw. */
export function drawLanes(operations: readonly DrawnOperation[], faults: readonly Fault[]): string {
  if (operations.length === 0) return ''
  const from = Math.min(...operations.map(({ call }) => call))
  const last = Math.max(...operations.map(({ call, return: end }) => end ?? call))
  // What is open goes to the edge, a little behind the last moment.
  const to = last + Math.max((last - from) * 0.04, 1)
  const x = (moment: number) =>
    LABEL_WIDTH + ((Math.min(Math.max(moment, from), to) - from) / (to - from)) * CHART_WIDTH
  const lanes = [...new Set(operations.map(({ process }) => process))].toSorted((a, b) =>
    a.localeCompare(b, 'en', { numeric: true }),
  )
  const height = TOP + lanes.length * LANE_HEIGHT + 6
  const width = LABEL_WIDTH + CHART_WIDTH + 10
  const bands = faults.filter((fault) => fault.to >= from && fault.from <= to)
  return [
    `<svg viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">`,
    ...bands.map((fault, index) => drawBand(fault, x, height, index)),
    ...lanes.map((process, lane) => drawLane(process, lane, width)),
    ...operations.map((operation) => drawBar(operation, lanes.indexOf(operation.process), x, to)),
    `<text x="${LABEL_WIDTH}" y="12" class="time">${((to - from) / NS_PER_MS).toFixed(3)} ms from ${from}</text>`,
    '</svg>',
  ].join('\n')
}

function drawBand(
  { from, to, label, node }: Fault,
  x: (moment: number) => number,
  height: number,
  index: number,
): string {
  const name = escapeHtml(node === null ? label : `${label} (${node})`)
  const left = x(from)
  return (
    `<g class="fault"><title>${name}</title>` +
    `<rect x="${left.toFixed(1)}" y="16" width="${Math.max(1, x(to) - left).toFixed(1)}" height="${height - 16}"/>` +
    `<text x="${(left + 3).toFixed(1)}" y="${index % 2 === 0 ? 22 : 31}">${name}</text></g>`
  )
}

function drawLane(process: string, lane: number, width: number): string {
  const y = TOP + lane * LANE_HEIGHT
  return (
    `<line x1="0" x2="${width}" y1="${y}" y2="${y}"/>` +
    `<text x="4" y="${y + 16}" class="process">${escapeHtml(shorten(process, 18))}</text>`
  )
}

function drawBar(operation: DrawnOperation, lane: number, x: (moment: number) => number, to: number): string {
  const { call, return: end, line, process, note } = operation
  const left = x(call)
  const width = Math.max(2, x(end ?? to) - left)
  const y = TOP + lane * LANE_HEIGHT + 3
  const classes = ['bar']
  if (end === null) classes.push('open')
  if (operation.evidence) classes.push('evidence')
  if (operation.suspect) classes.push('suspect')
  const title = `line ${line}, process ${process}: ${operation.operation}${note === null ? '' : ` (${note})`}, ${call} to ${end ?? 'unknown'}`
  const room = Math.floor(width / BAR_LABEL_PX_PER_CHARACTER)
  const label = room < 4 ? '' : shorten(operation.operation, room)
  return (
    `<g class="${classes.join(' ')}"><title>${escapeHtml(title)}</title>` +
    `<rect x="${left.toFixed(1)}" y="${y}" width="${width.toFixed(1)}" height="${LANE_HEIGHT - 6}" rx="3"/>` +
    `<text x="${(left + 3).toFixed(1)}" y="${y + 13}">${escapeHtml(label)}</text></g>`
  )
}

function shorten(text: string, characters: number): string {
  return text.length <= characters ? text : `${text.slice(0, characters - 1)}…`
}
