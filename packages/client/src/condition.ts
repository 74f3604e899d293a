import { type Condition, QuorateError } from '@quorate/protocol'
import type { SetOptions } from './options.ts'

const always: Condition = { type: 'always' }

/** @throws QuorateError `ARGUMENT_INVALID`, `not-done`: two conditions at once, or a version that is none. */
export function conditionOf(options: Pick<SetOptions, 'ifVersion' | 'ifAbsent' | 'ifPresent'>): Condition {
  const conditions: Condition[] = []
  if (options.ifVersion !== undefined)
    conditions.push({ type: 'ifVersion', version: checkedVersion(options.ifVersion) })
  if (options.ifAbsent === true) conditions.push({ type: 'ifAbsent' })
  if (options.ifPresent === true) conditions.push({ type: 'ifPresent' })
  if (conditions.length > 1) throw invalid('ifVersion, ifAbsent and ifPresent exclude each other')
  return conditions[0] ?? always
}

function checkedVersion(version: number): number {
  if (Number.isSafeInteger(version) && version > 0) return version
  throw invalid(
    `ifVersion is a version that was read (a positive integer), not ${String(version)}; absent is ifAbsent`,
  )
}

function invalid(message: string): QuorateError {
  return new QuorateError('ARGUMENT_INVALID', 'not-done', message)
}
