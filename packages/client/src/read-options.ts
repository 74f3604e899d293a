// How consistent a read shall be, as its user says it and as it travels.
import { QuorateError, type RelaxedRead } from '@quorate/protocol'
import type { ReadOptions } from './options.ts'

/**
 * Null: a linearizable read.
 * @throws QuorateError `ARGUMENT_INVALID`, `not-done`.
 */
export function relaxedReadOf({ consistency, maxAge }: ReadOptions): RelaxedRead | null {
  if (maxAge !== undefined && consistency !== 'stale') throw invalid('maxAge is an option of stale reads')
  switch (consistency) {
    case undefined:
    case 'linearizable':
      return null
    case 'lease':
      return { consistency }
    case 'stale':
      return { consistency, maxAge: maxAge === undefined ? null : checkedAge(maxAge) }
    default:
      throw invalid(`consistency is linearizable, lease or stale, not ${String(consistency)}`)
  }
}

function checkedAge(maxAge: number): number {
  // `+ 0` makes 0 of -0, which no number on the wire is.
  if (typeof maxAge === 'number' && maxAge >= 0 && maxAge <= Number.MAX_SAFE_INTEGER) return maxAge + 0
  throw invalid(`maxAge is milliseconds from 0 to ${Number.MAX_SAFE_INTEGER}, not ${String(maxAge)}`)
}

const invalid = (message: string): QuorateError => new QuorateError('ARGUMENT_INVALID', 'not-done', message)
