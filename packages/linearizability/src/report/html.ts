// The verdict as one page that needs nothing but itself: no network, no script.
import type { Fault } from '../history/fault.ts'
import type { History } from '../history/history.ts'
import { DRAWN_KEYS_MAX, DRAWN_OPERATIONS_MAX } from '../limits.ts'
import type { HistoryVerdict, KeyVerdict } from '../verdict/verdict.ts'
import { escapeHtml } from './escape.ts'
import { type ReportedOperation, reportEvidence, reportOperation, summarise } from './key-report.ts'
import { type DrawnOperation, drawLanes } from './lanes.ts'
import { nearbyRows } from './nearby-rows.ts'
import { style } from './style.ts'

export function formatHtml(
  history: History,
  { verdict, keys }: HistoryVerdict,
  faults: readonly Fault[],
): string {
  const rows = history.rowsByKey()
  const order = { illegal: 0, unknown: 1, ok: 2 }
  const shown = [...keys.entries()]
    .toSorted(([, a], [, b]) => order[a.verdict] - order[b.verdict])
    .slice(0, DRAWN_KEYS_MAX)
  const { ok, fail, info } = history.counts
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${verdict}: linearizability of ${escapeHtml(history.model.name)}</title>
<style>${style}</style>
</head>
<body>
<h1><span class="${verdict}">${verdict}</span> as a ${escapeHtml(history.model.name)}</h1>
<p>${ok} ok, ${fail} fail, ${info} info on ${keys.length} keys: ${count(keys, 'illegal')} illegal, ${count(keys, 'unknown')} unknown, ${count(keys, 'ok')} ok.</p>
<p class="legend"><span class="suspect">without this answer there is an order</span> <span class="evidence">in the minimised history</span> <span class="open">outcome unknown</span> <span class="fault">fault</span></p>
${shown.map(([index, key]) => formatKey(history, key, rows[index] ?? new Int32Array(), faults)).join('\n')}
${keys.length > shown.length ? `<p>${keys.length - shown.length} more keys are not shown.</p>` : ''}
</body>
</html>
`
}

function count(keys: readonly KeyVerdict[], verdict: KeyVerdict['verdict']): number {
  return keys.filter((key) => key.verdict === verdict).length
}

function formatKey(
  history: History,
  verdict: KeyVerdict,
  rows: Int32Array,
  faults: readonly Fault[],
): string {
  const evidence = reportEvidence(history, verdict)
  const parts = [
    '<section>',
    `<h2><span class="${verdict.verdict}">${verdict.verdict}</span> key ${escapeHtml(JSON.stringify(verdict.key))}</h2>`,
    `<p>${escapeHtml(summarise(history, verdict))}</p>`,
  ]
  if (verdict.refutedWitness !== null) {
    const { row, reason } = verdict.refutedWitness
    parts.push(
      `<p>The positions that the system gave are no order: line ${history.row(row).line}, ${escapeHtml(reason)}.</p>`,
    )
  }
  if (evidence.length > 0) {
    parts.push('<h3>Minimised history</h3>', formatTable(evidence))
    parts.push(drawLanes(asEvidence(evidence), faults))
  }
  const near = nearbyRows(history, rows, verdict, DRAWN_OPERATIONS_MAX)
  parts.push(
    `<h3>${near.length < rows.length ? `${near.length} of ${rows.length} operations, in the time of the above` : 'All operations'}</h3>`,
    drawLanes(asNeighbours(history, verdict, near), faults),
    '</section>',
  )
  return parts.join('\n')
}

function asEvidence(operations: readonly ReportedOperation[]): DrawnOperation[] {
  return operations.map((operation) => ({ ...operation, evidence: true }))
}

function asNeighbours(history: History, verdict: KeyVerdict, rows: readonly number[]): DrawnOperation[] {
  const evidence = verdict.verdict === 'illegal' ? verdict.evidence : null
  const inEvidence = new Set(evidence?.parts.map(({ row }) => row))
  const suspects = new Set(evidence?.suspects)
  if (evidence !== null && evidence.firstIllegal !== null) suspects.add(evidence.firstIllegal)
  return rows.map((row) => ({
    ...reportOperation(history, row, { suspect: suspects.has(row) }),
    evidence: inEvidence.has(row),
  }))
}

function formatTable(operations: readonly ReportedOperation[]): string {
  const rows = operations.map(({ line, process, operation, note, call, return: end, suspect }) => {
    const cells = [
      String(line),
      process,
      `${operation}${note === null ? '' : ` (${note})`}`,
      String(call),
      String(end ?? ''),
    ]
    return `<tr${suspect ? ' class="suspect"' : ''}>${cells.map((cell) => `<td>${escapeHtml(cell)}</td>`).join('')}</tr>`
  })
  return `<table><tr><th>line</th><th>process</th><th>operation</th><th>call</th><th>return</th></tr>${rows.join('\n')}</table>`
}
