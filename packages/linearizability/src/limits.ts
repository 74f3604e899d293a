// The bounds of the checker. Beyond a bound there is a typed error or the verdict `unknown`, never a guess.

/** A line of a history: one operation. A longer one is refused before it is kept. */
export const LINE_BYTES_MAX: number = 16 * 1024 * 1024
/** Read from a file at a time. */
export const READ_CHUNK_BYTES: number = 1024 * 1024
/** Distinct values, and distinct states of a model: two of them fit into one exact number as a key. */
export const IDS_MAX: number = 2 ** 26
/** 32-bit words of the search's memo (256 MiB): behind it the verdict is `unknown`. */
export const MEMO_WORDS_MAX: number = 64 * 1024 * 1024
/** Model steps of one search unless told otherwise. */
export const SEARCH_STEPS = 200_000_000
/** Seconds for one key unless told otherwise. */
export const SEARCH_SECONDS = 60
/** Between two looks at the clock, in steps: a look costs more than a step. */
export const STEPS_PER_LOOK = 4_096
/** Looks at an operation that the brute force confirmation of a minimised history may take: about a second. */
export const CONFIRM_STEPS = 10_000_000
/** Re-checks that making a history smaller, and finding who is to blame, may take, and their seconds. */
export const SHRINK_CHECKS = 400
export const SHRINK_SECONDS = 10
/** Operations that are tried as the one to blame. */
export const SUSPECTS_TRIED_MAX = 12
/** Operations that a report draws for one key, and the keys it draws. */
export const DRAWN_OPERATIONS_MAX = 300
export const DRAWN_KEYS_MAX = 20
