// The numbers that may travel. Anything else is refused where it enters, and is a programming mistake where it leaves.

export const U8_MAX = 0xff
export const U16_MAX = 0xffff
export const U32_MAX = 0xffff_ffff

/** A safe integer of either sign; -0 is not one, since it would not come back equal from every language. */
export function isInteger(value: unknown): value is number {
  return Number.isSafeInteger(value) && !Object.is(value, -0)
}

/** A safe integer from 0. */
export function isNatural(value: unknown): value is number {
  return isInteger(value) && value >= 0
}

/** A span or time in milliseconds that may have a fraction: finite, from 0, at most 2^53 - 1. */
export function isMilliseconds(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value <= Number.MAX_SAFE_INTEGER && !Object.is(value, -0)
}
