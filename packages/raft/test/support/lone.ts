// One core without a world: inputs by hand, for tests of single rules.
import { createRaft } from '../../src/index.ts'
import type {
  Configuration,
  Effects,
  EntryMeta,
  Message,
  Raft,
  RaftOptions,
  Recovered,
} from '../../src/index.ts'
import type { InputBody } from './host.ts'
import { configurationOf } from './world.ts'

export interface Past {
  readonly self?: number
  readonly term?: number
  readonly votedFor?: number | null
  readonly configuration?: Configuration
  readonly compacted?: { index: number; term: number }
  /** Term of each entry behind the compaction point. */
  readonly terms?: readonly number[]
  readonly configurations?: Recovered['configurations']
  readonly commitIndex?: number
  readonly limits?: RaftOptions['limits']
}

/** Past the silence after the start and past every election timeout. */
export const LATE = 10_000

export class Lone {
  readonly raft: Raft
  now = LATE

  constructor(past: Past = {}) {
    const {
      self = 1,
      term = 0,
      votedFor = null,
      compacted = { index: 0, term: 0 },
      terms = [],
      commitIndex = compacted.index,
    } = past
    const configuration = past.configuration ?? configurationOf([1, 2, 3])
    this.raft = createRaft({
      self,
      startedAt: 0,
      draw: 0,
      ...(past.limits === undefined ? {} : { limits: past.limits }),
      recovered: {
        hardState: { currentTerm: term, votedFor },
        compacted,
        terms: terms.flatMap((each, place) =>
          each === terms[place - 1] ? [] : [{ firstIndex: compacted.index + place + 1, term: each }],
        ),
        lastIndex: compacted.index + terms.length,
        configurations: past.configurations ?? [{ index: 0, configuration }],
        commitIndex,
        appliedIndex: commitIndex,
      },
    })
  }

  step(input: InputBody): Effects {
    return this.raft.step({ ...input, now: this.now, draw: 0 })
  }

  hear(from: number, message: Message): Effects {
    return this.step({ type: 'message', from, message })
  }

  /** Ends the step's own write. */
  persist(effects: Effects): Effects | null {
    return effects.persist === null ? null : this.step({ type: 'persisted', number: effects.persist.number })
  }

  append(
    term: number,
    previous: readonly [index: number, term: number],
    terms: readonly number[],
    commitIndex = 0,
  ): Effects {
    return this.hear(2, appendRequest(term, previous, terms, commitIndex))
  }

  /** Leads the next term by the votes of all other voters; the no-op is durable here. Returns the effects of winning. */
  lead(): Effects {
    this.now += 1_000
    this.step({ type: 'tick' })
    const voters = this.raft.configuration.voters.filter((voter) => voter !== this.raft.self)
    let last: Effects | null = null
    for (const voter of voters) {
      if (this.raft.role !== 'preCandidate') break
      last = this.hear(voter, {
        type: 'voteReply',
        term: this.raft.currentTerm + 1,
        preVote: true,
        granted: true,
      })
    }
    let won = this.step({ type: 'persisted', number: last?.persist?.number ?? 1 })
    for (const voter of voters) {
      if (this.raft.role !== 'candidate') break
      won = this.hear(voter, {
        type: 'voteReply',
        term: this.raft.currentTerm,
        preVote: false,
        granted: true,
      })
    }
    this.persist(won)
    return won
  }

  accepted(from: number, matchIndex: number): Effects {
    return this.hear(from, { type: 'appendAccepted', term: this.raft.currentTerm, matchIndex })
  }

  terms(): (number | null)[] {
    return Array.from({ length: this.raft.lastIndex }, (_, place) => this.raft.termAt(place + 1))
  }
}

export function appendRequest(
  term: number,
  [previousIndex, previousTerm]: readonly [number, number],
  terms: readonly number[],
  commitIndex = 0,
): Message {
  const entries: EntryMeta[] = terms.map((each, place) => ({
    index: previousIndex + place + 1,
    term: each,
    bytes: 1,
  }))
  return { type: 'appendRequest', term, previousIndex, previousTerm, entries, commitIndex }
}

export function messages(effects: Effects): Message[] {
  return [...effects.send, ...effects.sendAfterPersist].map(({ message }) => message)
}
