// A read from its first step to its answers: rows come from the store until memory and store agree on one moment (rule 27).
import type { Answer, ErrorCode } from '@quorate/protocol'
import type { ReadStep, ShardState } from '@quorate/state-machine'
import type { ReplicaHost } from './host.ts'
import type { Replica } from './replica.ts'

export interface ReadEnd {
  readonly answers: (answers: readonly Answer[]) => void
  /** The log clock has to reach `t` first. */
  readonly tick: (t: number) => void
  readonly refused: (code: ErrorCode) => void
}

/** Evaluates `keys` at log time `t`; exactly one of `end` is called, here or later. */
export function followRead(
  host: ReplicaHost,
  replica: Replica,
  { keys, t }: { readonly keys: readonly Uint8Array[]; readonly t: number },
  end: ReadEnd,
): void {
  const state = replica.state as ShardState
  const failed = (error: unknown): void => {
    end.refused('REPLICA_STOPPED')
    replica.failed(error instanceof Error ? error : new Error(String(error)))
  }
  const follow = (step: ReadStep): void => {
    if (step.type === 'answers') return end.answers(step.answers)
    if (step.type === 'tick') return end.tick(step.t)
    host.store
      .getMany(replica.group, replica.generation, step.rows)
      .then((rows) => {
        if (replica.condition !== 'live') return end.refused('REPLICA_STOPPED')
        // A snapshot replaced the state meanwhile: what was fetched belongs to another generation.
        if (replica.state !== state) return end.refused('NOT_LEADER')
        follow(state.completeRead(step.ticket, rows))
      })
      .catch(failed)
  }
  try {
    follow(state.beginRead(keys, t))
  } catch (error) {
    failed(error)
  }
}
