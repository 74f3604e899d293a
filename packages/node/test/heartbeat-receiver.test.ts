// What one heartbeat confirms, and what a repeated one must not.
import { limits } from '@quorate/protocol'
import type { Raft } from '@quorate/raft'
import { describe, expect, it } from 'vitest'
import { HeartbeatReceiver } from '../src/peers/heartbeat-receiver.ts'
import type { HeardInput, QuietReplica } from '../src/peers/quiet-replica.ts'

const GROUP = 1
const LEADER = 11
const SELF = 21
const own = { wallMs: 0, lowOnSpace: false }
const led = { group: GROUP, term: 3, leader: LEADER, receiver: SELF }

/** A follower that adopts what it hears at once and has it on disk when the test says so. */
class Follower {
  now = 0
  readonly steps: HeardInput[] = []
  readonly raft = {
    currentTerm: 2,
    durableTerm: 2,
    role: 'follower',
    leader: null as number | null,
    commitIndex: 0,
    lastIndex: 9,
  }
  readonly receiver: HeartbeatReceiver

  constructor() {
    const replica: QuietReplica = {
      group: GROUP,
      incarnation: SELF,
      raft: this.raft as Partial<Raft> as Raft,
      condition: 'live',
      installing: false,
      step: (input) => this.#step(input),
      catchUp: () => {},
    }
    this.receiver = new HeartbeatReceiver({
      replicaOf: (group) => (group === GROUP ? replica : undefined),
      now: () => this.now,
      sentAt: () => null,
      hosts: () => true,
      attend: () => {},
    })
  }

  /** Exceptions of the answer; null where there is none. */
  hear(sequence: number): readonly number[] | null {
    const heartbeat = { type: 'heartbeat', sequence, setNumber: 1, ledSet: [led], commits: [] } as const
    const rest = { answers: 0, answersBoot: 0, syncedLog: 0, wallMs: 0, confirmedAge: 0 }
    return this.receiver.receive('p', 1, { ...heartbeat, ...rest }, own)?.exceptions ?? null
  }

  #step(input: HeardInput): void {
    this.steps.push(input)
    if (input.type === 'heartbeat') Object.assign(this.raft, { currentTerm: input.term, leader: input.from })
  }
}

describe('a heartbeat', () => {
  it('confirms no leader whose term is not on disk yet (rule 1), and confirms it when it is', () => {
    const follower = new Follower()
    expect(follower.hear(1)).toEqual([GROUP])
    expect(follower.raft.currentTerm).toBe(3)
    expect(follower.hear(2)).toEqual([GROUP])
    follower.raft.durableTerm = 3
    expect(follower.hear(3)).toEqual([])
    expect(follower.receiver.hushed(GROUP)).toBe(true)
  })

  it('that arrives again or late is no sign of life and has no answer (rule 5)', () => {
    const follower = new Follower()
    follower.raft.durableTerm = 3
    follower.hear(7)
    const steps = follower.steps.length
    follower.now = limits.electionTimeoutMsMin - 1
    expect(follower.hear(7)).toBe(null)
    expect(follower.hear(6)).toBe(null)
    expect(follower.steps).toHaveLength(steps)
    follower.now += 1
    follower.receiver.noticeSilence()
    expect(follower.receiver.hushed(GROUP)).toBe(false)
  })
})
