// What follows a refusal: the same again elsewhere, later, or the end.
import type { ErrorCode, GroupId, Result } from '@quorate/protocol'
import type { Call } from './call.ts'

/**
 * `elsewhere`: ask the node named or the next replica at once. `later`: the same again after a pause. `remap`: the map
 * is old. `rename`: the name is used up, take another. `again`: the same at once, with the time just learned. `end`: trying again would be refused again.
 */
export type Reaction = 'elsewhere' | 'later' | 'remap' | 'rename' | 'again' | 'end'

export function reactionTo(code: ErrorCode): Reaction {
  switch (code) {
    case 'NOT_LEADER':
    case 'CANNOT_CONNECT':
    case 'CLOSED':
    case 'REPLICA_STOPPED':
    case 'TIMEOUT':
    case 'TOO_OLD':
      return 'elsewhere'
    case 'NO_LEADER':
    case 'OVERLOADED':
    case 'SESSIONS_FULL':
    case 'LATE':
    case 'LEADERSHIP_LOST':
    case 'DISK_FULL':
      return 'later'
    case 'MOVED':
    case 'WRONG_SHARD':
      return 'remap'
    case 'SESSION_EXPIRED':
    case 'SESSION_WINDOW':
    case 'STALE':
      return 'rename'
    case 'NOT_A_NUMBER':
    case 'OVERFLOW':
    case 'KEY_INVALID':
    case 'VALUE_INVALID':
    case 'VALUE_TOO_LARGE':
    case 'ARGUMENT_INVALID':
    case 'UNKNOWN_COMMAND':
    case 'BAD_FRAME':
    case 'PROTOCOL_VERSION':
    case 'WRONG_CLUSTER':
    case 'ABORTED':
    case 'CONFLICT':
      return 'end'
  }
}

/** An operation of which nothing is open ends with it: waiting would only make the user wait for the same. */
export function isFinal(code: ErrorCode): boolean {
  return reactionTo(code) === 'end' || code === 'DISK_FULL'
}

/** Whether a result can be the answer to this call; anything else is a confused node, and proves nothing. */
export function answers({ op, isConditional }: Call, result: Result, group: GroupId): boolean {
  switch (result.type) {
    case 'written':
      return op === 'set'
    case 'lost':
      return isConditional
    case 'deleted':
      return op === 'del'
    case 'touched':
      return op === 'touch' || op === 'persist'
    case 'counted':
    case 'notANumber':
    case 'overflow':
      return op === 'incr'
    case 'entry':
    case 'absent':
      return op === 'get'
    case 'sessionOpened':
      return op === 'open' && result.session.group === group
    case 'done':
      return false
  }
}
