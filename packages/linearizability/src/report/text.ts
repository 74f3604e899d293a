// The verdict for people at a terminal.
import type { History } from '../history/history.ts'
import type { HistoryVerdict } from '../verdict/verdict.ts'
import { reportEvidence, reportOperation, summarise } from './key-report.ts'
import { oneLine } from './one-line.ts'

const KEYS_SHOWN_MAX = 20
const OPERATIONS_SHOWN_MAX = 40

export function formatText(history: History, { verdict, keys }: HistoryVerdict): string {
  const { ok, fail, info } = history.counts
  const counted = `${ok} ok, ${fail} fail, ${info} info`
  const lines = [
    `${verdict}: ${counted}; ${keys.length} ${keys.length === 1 ? 'key' : 'keys'}, ${history.model.name}`,
  ]
  const wrong = keys.filter((key) => key.verdict !== 'ok')
  for (const key of wrong.slice(0, KEYS_SHOWN_MAX)) {
    lines.push('', `key ${JSON.stringify(key.key)}: ${key.verdict}: ${summarise(history, key)}`)
    const evidence = reportEvidence(history, key)
    for (const operation of evidence.slice(0, OPERATIONS_SHOWN_MAX)) {
      const note = operation.note === null ? '' : ` (${operation.note})`
      lines.push(
        `${operation.suspect ? '>' : ' '} line ${operation.line}, process ${oneLine(operation.process)}: ` +
          `${oneLine(operation.operation)}${note}, ${operation.call} to ${operation.return ?? 'unknown'}`,
      )
    }
    if (evidence.length > OPERATIONS_SHOWN_MAX)
      lines.push(`  ... ${evidence.length - OPERATIONS_SHOWN_MAX} more`)
  }
  if (wrong.length > KEYS_SHOWN_MAX) lines.push('', `... ${wrong.length - KEYS_SHOWN_MAX} more keys`)
  for (const { key, refutedWitness } of keys
    .filter(({ refutedWitness: note }) => note !== null)
    .slice(0, KEYS_SHOWN_MAX)) {
    if (refutedWitness === null) continue
    const { line } = reportOperation(history, refutedWitness.row)
    lines.push(
      `note: key ${JSON.stringify(key)}: the positions are no order, line ${line}: ${oneLine(refutedWitness.reason)}`,
    )
  }
  return lines.join('\n')
}
