// What an operator or a test asks of the meta group's leader, and how it is refused.
import type { Refusal } from './change-members.ts'
import type { MembershipCommand } from './meta-command.ts'

/** `NOT_LEADER`: nothing happened, ask the node that leads the meta group. `UNKNOWN`: it may still happen. */
export type MembershipRefusal = Refusal | 'NOT_LEADER' | 'OVERLOADED' | 'UNKNOWN'

/** A change of members was not accepted. */
export class MembershipRefusedError extends Error {
  override readonly name = 'MembershipRefusedError'
  readonly code: MembershipRefusal

  constructor(code: MembershipRefusal, message: string) {
    super(message)
    this.code = code
  }
}

/** Settled once: with the index at which the command was accepted, or with why it was not. */
export interface MembershipRequest {
  readonly command: MembershipCommand
  readonly accepted: (id: number) => void
  readonly refused: (code: MembershipRefusal) => void
}
