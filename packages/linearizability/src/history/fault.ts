// Faults that were made while a history was recorded: a report shows them as bands behind the operations.
import { readLines } from './read-history.ts'
import { HistoryError } from './history-error.ts'
import { parseObject, time } from './record.ts'

export interface Fault {
  /** Of the history's clock. */
  readonly from: number
  readonly to: number
  readonly label: string
  readonly node: string | null
}

/** Throws `HistoryError`, and what the file system throws. */
export function readFaults(path: string): Fault[] {
  const faults: Fault[] = []
  readLines(path, (text, line) => faults.push(parseFault(text, line)))
  return faults
}

function parseFault(text: string, line: number): Fault {
  const fields = parseObject(text, line)
  const { label, node = null } = fields
  if (typeof label !== 'string') throw new HistoryError(line, 'label', 'a string is expected')
  if (node !== null && typeof node !== 'string' && typeof node !== 'number')
    throw new HistoryError(line, 'node', 'a name is expected')
  const [from, to] = [time(fields, 'from', line), time(fields, 'to', line)]
  if (to < from) throw new HistoryError(line, 'to', `${to} is before ${from}`)
  return { from, to, label, node: node === null ? null : String(node) }
}
