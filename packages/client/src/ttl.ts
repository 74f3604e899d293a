import { limits, QuorateError } from '@quorate/protocol'

/** What a set carries: 0 = none. @throws QuorateError `ARGUMENT_INVALID`, `not-done`. */
export function ttlOf(options: { readonly ttl?: number | undefined }): number {
  return options.ttl === undefined ? 0 : checkedTtl(options.ttl)
}

/** @throws QuorateError `ARGUMENT_INVALID`, `not-done`. */
export function checkedTtl(ttl: number): number {
  if (Number.isSafeInteger(ttl) && ttl > 0 && ttl <= limits.ttlMs) return ttl
  throw new QuorateError(
    'ARGUMENT_INVALID',
    'not-done',
    `ttl is a whole number of milliseconds from 1 to ${limits.ttlMs} (ten years), not ${String(ttl)}`,
  )
}
