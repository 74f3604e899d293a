// A key's verdict in words: what text, JSON and the page have in common.
import type { History } from '../history/history.ts'
import type { EvidencePart, KeyVerdict } from '../verdict/verdict.ts'

export interface ReportedOperation {
  readonly line: number
  readonly process: string
  readonly operation: string
  readonly call: number
  /** Null: its outcome is unknown. */
  readonly return: number | null
  /** What of it does not count in a minimised history. */
  readonly note: string | null
  readonly suspect: boolean
}

export function reportOperation(
  history: History,
  row: number,
  { note = null, suspect = false }: { readonly note?: string | null; readonly suspect?: boolean } = {},
): ReportedOperation {
  const { line, process, call, return: end, coded } = history.row(row)
  return {
    line,
    process,
    operation: history.machine.showOperation(coded),
    call,
    return: Number.isFinite(end) ? end : null,
    note,
    suspect,
  }
}

/** The minimised history of an illegal key; empty for others. */
export function reportEvidence(history: History, verdict: KeyVerdict): ReportedOperation[] {
  if (verdict.verdict !== 'illegal') return []
  const suspects = new Set(verdict.evidence.suspects)
  return verdict.evidence.parts.map((part) =>
    reportOperation(history, part.row, { note: noteOf(part), suspect: suspects.has(part.row) }),
  )
}

function noteOf({ loose, cut }: EvidencePart): string | null {
  if (loose) return 'whatever it found'
  return cut ? 'not ended yet' : null
}

/** One sentence. */
export function summarise(history: History, verdict: KeyVerdict): string {
  switch (verdict.verdict) {
    case 'ok':
      return `an order explains all ${verdict.operations} operations (${verdict.engine})`
    case 'unknown':
      return `not decided: ${verdict.reason}`
    case 'illegal': {
      const { parts, confirmed, suspects, firstIllegal } = verdict.evidence
      const proof = `no order explains these ${parts.length} operations${confirmed ? '' : ' (not confirmed by brute force)'}`
      const lines = (rows: readonly number[]) => rows.map((row) => history.row(row).line).join(' or ')
      if (suspects.length > 0)
        return `${proof}; without the answer in line ${lines(suspects)} there is an order`
      return firstIllegal === null ? proof : `${proof}; it shows when line ${lines([firstIllegal])} returns`
    }
  }
}
