// Terms and votes (dissertation 3.3, 3.4, 3.6.1).
import { describe, expect, test } from 'vitest'
import type { Message } from '../src/index.ts'
import { Lone, appendRequest, messages } from './support/lone.ts'

const replies: readonly Message[] = [
  { type: 'voteReply', term: 9, preVote: true, granted: false },
  { type: 'voteReply', term: 9, preVote: false, granted: false },
  { type: 'appendAccepted', term: 9, matchIndex: 0 },
  { type: 'appendRejected', term: 9, rejectedIndex: 0, hintIndex: 0, hintTerm: 0 },
  { type: 'termNotice', term: 9 },
]

const roles: Readonly<Record<string, (lone: Lone) => void>> = {
  follower: () => undefined,
  preCandidate: (lone) => void lone.step({ type: 'tick' }),
  candidate: (lone) => {
    lone.step({ type: 'tick' })
    lone.hear(2, { type: 'voteReply', term: 2, preVote: true, granted: true })
  },
  leader: (lone) => void lone.lead(),
}

describe('A9: "if a message contains term T > currentTerm: set currentTerm = T, convert to follower" (3.3)', () => {
  for (const [role, become] of Object.entries(roles)) {
    test.each(replies)(`a ${role} that hears $type of a higher term`, (message) => {
      const lone = new Lone({ term: 1 })
      become(lone)
      expect(lone.raft.role).toBe(role)
      const effects = lone.hear(2, message)
      expect([lone.raft.role, lone.raft.currentTerm]).toEqual(['follower', 9])
      expect(effects.persist?.hardState).toEqual({ currentTerm: 9, votedFor: null })
    })

    test.each(replies)(`a ${role} that hears $type of an old term ignores it`, (message) => {
      const lone = new Lone({ term: 5 })
      become(lone)
      const before = [lone.raft.role, lone.raft.currentTerm, lone.raft.leader]
      const effects = lone.hear(2, { ...message, term: 1 })
      expect([lone.raft.role, lone.raft.currentTerm, lone.raft.leader]).toEqual(before)
      expect([effects.persist, effects.status, ...messages(effects)]).toEqual([null, null])
    })
  }

  test('a granted pre-vote of a future term is a promise, not a term', () => {
    const lone = new Lone({ term: 1 })
    lone.hear(2, { type: 'voteReply', term: 9, preVote: true, granted: true })
    expect(lone.raft.currentTerm).toBe(1)
  })

  test('requests of an old term are refused with the own term: append, vote, heartbeat', () => {
    const lone = new Lone({ term: 5 })
    expect(messages(lone.append(4, [0, 0], [4]))).toEqual([{ type: 'termNotice', term: 5 }])
    expect(messages(lone.step({ type: 'heartbeat', from: 2, term: 4, commitIndex: 0 }))).toEqual([
      { type: 'termNotice', term: 5 },
    ])
    const request: Message = {
      type: 'voteRequest',
      term: 4,
      preVote: false,
      lastIndex: 9,
      lastTerm: 4,
      transfer: false,
    }
    expect(messages(lone.hear(2, request))).toEqual([
      { type: 'voteReply', term: 5, preVote: false, granted: false },
    ])
    expect(messages(lone.hear(2, { type: 'timeoutNow', term: 4 }))).toEqual([])
  })

  test('a heartbeat of a higher term makes the replica adopt the term, recorded before its answer counts', () => {
    const lone = new Lone({ term: 1 })
    const effects = lone.step({ type: 'heartbeat', from: 2, term: 3, commitIndex: 0 })
    expect(effects.persist?.hardState).toEqual({ currentTerm: 3, votedFor: null })
    expect(effects.status).toEqual({ role: 'follower', currentTerm: 3, leader: 2 })
    expect(lone.raft.durableTerm).toBe(1)
    lone.persist(effects)
    expect(lone.raft.durableTerm).toBe(3)
  })
})

describe('votes', () => {
  const request = (term: number, lastIndex: number, lastTerm: number): Message => ({
    type: 'voteRequest',
    term,
    preVote: false,
    lastIndex,
    lastTerm,
    transfer: false,
  })

  test('"each server will vote for at most one candidate in a given term, first come first served" (3.4, A5)', () => {
    const lone = new Lone({ term: 1 })
    expect(messages(lone.hear(2, request(2, 0, 0)))).toMatchObject([{ granted: true }])
    expect(messages(lone.hear(3, request(2, 0, 0)))).toMatchObject([{ granted: false }])
  })

  test('A1, A2: term and vote are one record, and the reply waits for it', () => {
    const lone = new Lone({ term: 1 })
    const effects = lone.hear(2, request(2, 0, 0))
    expect(effects.persist).toMatchObject({ number: 1, hardState: { currentTerm: 2, votedFor: 2 } })
    expect(effects.send).toEqual([])
    expect(effects.sendAfterPersist).toMatchObject([{ to: 2, message: { granted: true, term: 2 } }])
  })

  test('A7: the same candidate that asks again is answered again, without a second record', () => {
    const lone = new Lone({ term: 1 })
    lone.hear(2, request(2, 0, 0))
    const again = lone.hear(2, request(2, 0, 0))
    expect(messages(again)).toMatchObject([{ granted: true }])
    expect(again.persist).toBe(null)
  })

  test('A1: a recovered vote binds', () => {
    const lone = new Lone({ term: 2, votedFor: 3 })
    expect(messages(lone.hear(2, request(2, 9, 2)))).toMatchObject([{ granted: false }])
    expect(messages(lone.hear(3, request(2, 9, 2)))).toMatchObject([{ granted: true }])
  })

  test('A3: a candidate that steps down within its term keeps its vote', () => {
    const lone = new Lone({ term: 1 })
    lone.step({ type: 'tick' })
    lone.hear(2, { type: 'voteReply', term: 2, preVote: true, granted: true })
    expect(lone.raft.role).toBe('candidate')
    lone.step({ type: 'stepDown' })
    lone.now += 1_000
    expect(messages(lone.hear(3, request(2, 9, 2)))).toMatchObject([{ granted: false }])
  })

  test.each([
    [3, 3, true],
    [2, 3, false],
    [9, 2, false],
    [1, 4, true],
  ])(
    'A10: with log 3/3, a candidate with %i/%i gets the vote: %s (3.6.1)',
    (lastIndex, lastTerm, granted) => {
      const lone = new Lone({ term: 5, terms: [1, 2, 3] })
      expect(messages(lone.hear(2, request(6, lastIndex, lastTerm)))).toMatchObject([{ granted }])
    },
  )

  test('A18: a candidate votes for nobody else in its term', () => {
    const lone = new Lone({ term: 1 })
    lone.step({ type: 'tick' })
    lone.hear(2, { type: 'voteReply', term: 2, preVote: true, granted: true })
    expect(messages(lone.hear(3, request(2, 9, 9)))).toMatchObject([{ granted: false }])
  })

  test('the own vote counts when it is durable, not before', () => {
    const lone = new Lone({ term: 1 })
    lone.step({ type: 'tick' })
    const asked = lone.hear(2, { type: 'voteReply', term: 2, preVote: true, granted: true })
    expect(asked.send).toEqual([])
    lone.hear(3, { type: 'voteReply', term: 2, preVote: false, granted: true })
    expect(lone.raft.role).toBe('candidate')
    lone.persist(asked)
    expect(lone.raft.role).toBe('leader')
  })

  test('the end of an earlier write does not make the own vote count', () => {
    const lone = new Lone({ term: 1 })
    lone.append(1, [0, 0], [1])
    lone.now += 1_000
    lone.step({ type: 'tick' })
    lone.hear(2, { type: 'voteReply', term: 2, preVote: true, granted: true })
    lone.hear(3, { type: 'voteReply', term: 2, preVote: false, granted: true })
    lone.step({ type: 'persisted', number: 1 })
    expect(lone.raft.role).toBe('candidate')
    lone.step({ type: 'persisted', number: 2 })
    expect(lone.raft.role).toBe('leader')
  })

  test('A17: no campaign while a committed configuration is not applied', () => {
    const lone = new Lone({ term: 1 })
    const configuration = { voters: [1, 2], outgoing: [], learners: [3], learnersNext: [] }
    lone.hear(2, {
      type: 'appendRequest',
      term: 1,
      previousIndex: 0,
      previousTerm: 0,
      entries: [{ index: 1, term: 1, bytes: 9, configuration }],
      commitIndex: 1,
    })
    lone.now += 1_000
    lone.step({ type: 'tick' })
    expect(lone.raft.role).toBe('follower')
    lone.hear(2, { type: 'timeoutNow', term: 1 })
    expect(lone.raft.role).toBe('follower')
    lone.step({ type: 'applied', index: 1 })
    lone.step({ type: 'tick' })
    expect(lone.raft.role).toBe('preCandidate')
  })

  test('a lost leader is not followed any more, and its lease is still respected', () => {
    const lone = new Lone({ term: 1 })
    lone.step({ type: 'heartbeat', from: 2, term: 1, commitIndex: 0 })
    lone.step({ type: 'leaderLost', from: 2 })
    expect(lone.raft.leader).toBe(null)
    lone.now += 299
    expect(messages(lone.hear(3, request(2, 0, 0)))).toMatchObject([{ granted: false, term: 1 }])
    lone.now += 1
    expect(messages(lone.hear(3, request(2, 0, 0)))).toMatchObject([{ granted: true, term: 2 }])
  })

  test('two leaders in one term break an invariant', () => {
    const lone = new Lone({ term: 1 })
    lone.step({ type: 'heartbeat', from: 2, term: 1, commitIndex: 0 })
    expect(() => lone.hear(3, appendRequest(1, [0, 0], []))).toThrow('TWO_LEADERS')
  })
})
