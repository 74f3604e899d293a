// Stale reads: any replica answers from what it has applied, and says how old that may be (time.md, stale reads).
import type { ShardState } from '@quorate/state-machine'
import { followRead } from './follow-read.ts'
import type { ReplicaHost } from './host.ts'
import type { QueuedRead } from './read-queue.ts'
import type { Replica } from './replica.ts'

/**
 * What it shows is the shard as its log had decided it at a moment at most `age` ago: also of deadlines, which are
 * therefore held against the log clock, by which nobody was told yet that they have passed.
 *
 * Calls `tooOld` in place of an answer if that may be older than `maxAge` ms (null: however old it is), or if this replica
 * has not caught up since it was started: then it may lack what it showed before (D8, D9).
 */
export function readStale(
  host: ReplicaHost,
  replica: Replica,
  { read, maxAge }: { readonly read: QueuedRead; readonly maxAge: number | null },
  tooOld: () => void,
): void {
  const { group } = replica
  const ageNow = (): number | null => host.staleAge(group)
  const isTooOld = (age: number | null): boolean => maxAge !== null && (age === null || age > maxAge)
  if (!host.hasCaughtUp(group) || isTooOld(ageNow())) return tooOld()
  const t = (replica.state as ShardState).clock
  followRead(
    host,
    replica,
    { keys: read.keys, t },
    {
      answers: (answers) => {
        // Fetching rows takes time: it is judged as of the moment that it shows.
        const age = ageNow()
        if (isTooOld(age)) return tooOld()
        read.answers(answers, age)
      },
      // Nothing expires between the log clock and itself.
      tick: () => tooOld(),
      refused: (code) => (code === 'NOT_LEADER' ? tooOld() : read.refused(code)),
    },
  )
}
