// What the text demands, sentence by sentence in short: "Consensus: Bridging Theory and Practice", by its sections. Sentences
// that other tests hold stand in docs/raft.md with the names of those tests.
import { describe, expect, test } from 'vitest'
import type { Effects } from '../src/index.ts'
import { Lone, messages } from './support/lone.ts'
import { configurationOf } from './support/world.ts'

const preVote = (lone: Lone, from: number): Effects =>
  lone.hear(from, { type: 'voteReply', term: lone.raft.currentTerm + 1, preVote: true, granted: true })

const voteFor = (lone: Lone, from: number): Effects =>
  lone.hear(from, { type: 'voteReply', term: lone.raft.currentTerm, preVote: false, granted: true })

/** A candidate of term 2 whose own vote is durable. */
function candidate(voters: readonly number[] = [1, 2, 3], terms: readonly number[] = [1]): Lone {
  const lone = new Lone({ term: 1, terms, configuration: configurationOf(voters) })
  lone.step({ type: 'tick' })
  let asked: Effects | null = null
  for (const voter of voters.slice(1)) {
    if (lone.raft.role === 'preCandidate') asked = preVote(lone, voter)
  }
  if (asked !== null) lone.persist(asked)
  expect([lone.raft.role, lone.raft.currentTerm]).toEqual(['candidate', 2])
  return lone
}

function leader(voters: readonly number[] = [1, 2, 3]): Lone {
  const lone = new Lone({ term: 1, configuration: configurationOf(voters) })
  lone.lead()
  for (const peer of voters.slice(1)) lone.accepted(peer, 1)
  return lone
}

const appends = (effects: Effects, to: number): readonly (readonly number[])[] =>
  effects.send.flatMap(({ to: peer, message }) =>
    peer === to && message.type === 'appendRequest'
      ? [[message.previousIndex, ...message.entries.map(({ index }) => index)]]
      : [],
  )

describe('3.3, 3.8: terms and what is kept', () => {
  test('3.4: a server starts as a follower, without a leader, in the term that its disk knows', () => {
    const lone = new Lone({ term: 7, votedFor: 2, terms: [3, 7] })
    expect([lone.raft.role, lone.raft.leader, lone.raft.currentTerm]).toEqual(['follower', null, 7])
  })

  test('3.8: the commit index may start again from what the checkpoint covers, and only leaders bring it forward', () => {
    const lone = new Lone({ term: 3, terms: [1, 1, 3], commitIndex: 1 })
    expect(lone.raft.commitIndex).toBe(1)
    expect(lone.append(3, [3, 3], [], 3).commitIndex).toBe(3)
  })

  test('3.8: a term is on the disk before anything is said in it', () => {
    const asked = new Lone({ term: 1, configuration: configurationOf([1, 2]) })
    asked.step({ type: 'tick' })
    const effects = preVote(asked, 2)
    expect(effects.persist?.hardState).toEqual({ currentTerm: 2, votedFor: 1 })
    expect([effects.send, effects.sendAfterPersist.length]).toEqual([[], 1])
  })
})

describe('3.4, 9.6: elections', () => {
  test.each(['append', 'heartbeat'] as const)('a follower that hears the leader (%s) stays one', (kind) => {
    const lone = new Lone({ term: 1 })
    for (let count = 0; count < 20; count++) {
      lone.now += 250
      if (kind === 'append') lone.append(1, [0, 0], [])
      else lone.step({ type: 'heartbeat', from: 2, term: 1, commitIndex: 0 })
      lone.step({ type: 'tick' })
      expect(lone.raft.role).toBe('follower')
    }
  })

  test.each([
    [0, 300],
    [0.5, 450],
    [0.999, 599.7],
  ])('the timeout is drawn from a fixed range: with chance %d it is %d ms', (draw, timeoutMs) => {
    const { raft } = new Lone({ term: 1 })
    const base = { now: 20_000, draw } as const
    raft.step({ type: 'heartbeat', from: 2, term: 1, commitIndex: 0, ...base })
    raft.step({ type: 'tick', now: base.now + timeoutMs - 0.1, draw })
    expect(raft.role).toBe('follower')
    raft.step({ type: 'tick', now: base.now + timeoutMs + 0.1, draw })
    expect(raft.role).toBe('preCandidate')
  })

  test('9.6: a server asks whether it could win before it raises its term, and an answer promises nothing', () => {
    const lone = new Lone({ term: 4, terms: [1, 4] })
    const effects = lone.step({ type: 'tick' })
    expect([lone.raft.role, lone.raft.currentTerm, effects.persist]).toEqual(['preCandidate', 4, null])
    expect(messages(effects)).toEqual([
      { type: 'voteRequest', term: 5, preVote: true, lastIndex: 2, lastTerm: 4, transfer: false },
      { type: 'voteRequest', term: 5, preVote: true, lastIndex: 2, lastTerm: 4, transfer: false },
    ])
    const voter = new Lone({ self: 2, term: 4, terms: [1, 4] })
    for (const from of [1, 3]) {
      const request = { type: 'voteRequest', term: 5, preVote: true, lastIndex: 2, lastTerm: 4 } as const
      const answered = voter.hear(from, { ...request, transfer: false })
      expect([messages(answered), answered.persist]).toMatchObject([[{ granted: true }], null])
    }
  })

  test('a candidate raises its term, votes for itself and asks every other voter', () => {
    const lone = new Lone({ term: 1, configuration: configurationOf([1, 2, 3], [4]) })
    lone.step({ type: 'tick' })
    const effects = preVote(lone, 3)
    expect(effects.persist?.hardState).toEqual({ currentTerm: 2, votedFor: 1 })
    expect(effects.sendAfterPersist.map(({ to }) => to)).toEqual([2, 3])
  })

  test('a candidate wins with the votes of a majority of all voters in the same term, and then tells everybody at once', () => {
    const lone = candidate([1, 2, 3, 4, 5])
    voteFor(lone, 2)
    expect(lone.raft.role).toBe('candidate')
    const won = voteFor(lone, 5)
    expect(lone.raft.role).toBe('leader')
    expect(won.send.map(({ to, message }) => [to, message.type])).toEqual([
      [2, 'appendRequest'],
      [3, 'appendRequest'],
      [4, 'appendRequest'],
      [5, 'appendRequest'],
    ])
  })

  test('a candidate that hears a leader of its own term becomes its follower', () => {
    const lone = candidate()
    lone.append(2, [1, 1], [])
    expect([lone.raft.role, lone.raft.leader, lone.raft.currentTerm]).toEqual(['follower', 2, 2])
  })

  test('a candidate refuses a leader of an older term and stays candidate', () => {
    const lone = candidate()
    expect(messages(lone.append(1, [1, 1], []))).toEqual([{ type: 'termNotice', term: 2 }])
    expect(lone.raft.role).toBe('candidate')
  })

  test('when votes are split, each candidate times out and tries a new term', () => {
    const lone = candidate()
    lone.now += 600
    lone.step({ type: 'tick' })
    const again = preVote(lone, 2)
    expect(again.persist?.hardState).toEqual({ currentTerm: 3, votedFor: 1 })
  })

  test('votes of an earlier campaign count for nothing in a later one', () => {
    const lone = candidate([1, 2, 3, 4, 5])
    voteFor(lone, 2)
    lone.now += 600
    lone.step({ type: 'tick' })
    preVote(lone, 4)
    const asked = preVote(lone, 5)
    lone.persist(asked)
    expect([lone.raft.role, lone.raft.currentTerm]).toEqual(['candidate', 3])
    voteFor(lone, 3)
    lone.hear(4, { type: 'voteReply', term: 2, preVote: false, granted: true })
    expect(lone.raft.role).toBe('candidate')
  })
})

describe('3.5: log replication', () => {
  test('a leader first believes that everyone has what it has: the first append stands behind its old end', () => {
    const lone = new Lone({ term: 2, terms: [1, 1, 2] })
    expect(appends(lone.lead(), 2)).toEqual([[3, 4]])
  })

  test('a leader appends to its own log and sends to all in the same step', () => {
    const lone = leader()
    const effects = lone.step({ type: 'propose', bytes: 1 })
    expect(effects.persist?.entries).toEqual([{ index: 2, term: 2, bytes: 1 }])
    expect([appends(effects, 2), appends(effects, 3)]).toEqual([[[1, 2]], [[1, 2]]])
  })

  test('an entry is committed on a majority, and with it everything before it, also what earlier leaders made', () => {
    const lone = new Lone({ term: 3, terms: [1, 2, 3], configuration: configurationOf([1, 2, 3, 4, 5]) })
    lone.lead()
    expect(lone.accepted(2, 4).commitIndex).toBe(null)
    expect(lone.accepted(3, 4).commitIndex).toBe(4)
  })

  test('a leader keeps on asking a follower that does not answer, even after it has answered its clients', () => {
    const lone = leader()
    lone.persist(lone.step({ type: 'propose', bytes: 1 }))
    lone.accepted(2, 2)
    let asked = 0
    for (let count = 0; count < 40; count++) {
      lone.now += 100
      lone.step({ type: 'confirmed', from: 2, term: 2, round: count + 1, sentAt: lone.now })
      asked += appends(lone.step({ type: 'tick' }), 3).length
    }
    expect(asked).toBeGreaterThanOrEqual(6)
    expect(lone.raft.role).toBe('leader')
  })

  test('appends carry the commit index, and a follower that learns it may apply, in order', () => {
    const lone = leader()
    const sent = lone.step({ type: 'propose', bytes: 1 }).send[0]?.message
    expect(sent).toMatchObject({ type: 'appendRequest', commitIndex: 1 })
    const follower = new Lone({ self: 2, term: 2 })
    expect(follower.append(2, [0, 0], [2, 2], 1).commitIndex).toBe(1)
    expect(() => follower.step({ type: 'applied', index: 2 })).toThrow('HOST')
  })

  test('a leader makes at most one entry of an index in its term, and never moves it', () => {
    const lone = leader()
    const indexes: number[] = []
    for (let count = 0; count < 5; count++) {
      for (const { index } of lone.step({ type: 'propose', bytes: 1 }).appended) indexes.push(index)
    }
    expect(indexes).toEqual([2, 3, 4, 5, 6])
    expect(() => lone.append(2, [1, 2], [2])).toThrow('TWO_LEADERS')
  })

  test('after a refusal the leader goes back and asks again, until the logs meet', () => {
    const lone = new Lone({ term: 5, terms: [1, 1, 4, 4, 5] })
    expect(appends(lone.lead(), 2)).toEqual([[5, 6]])
    const reject = (rejectedIndex: number, hintIndex: number, hintTerm: number): Effects =>
      lone.hear(2, { type: 'appendRejected', term: 6, rejectedIndex, hintIndex, hintTerm })
    expect(appends(reject(5, 4, 3), 2)).toEqual([[2, 3, 4, 5, 6]])
    expect(appends(reject(2, 0, 0), 2)).toEqual([[0, 1, 2, 3, 4, 5, 6]])
    lone.accepted(2, 6)
    expect(lone.raft.matchIndexOf(2)).toBe(6)
  })

  test('an append or a vote request that arrives twice does no harm (3.7)', () => {
    const lone = new Lone({ term: 1, terms: [1] })
    lone.append(1, [1, 1], [1, 1], 3)
    const before = [lone.raft.lastIndex, lone.raft.commitIndex]
    expect(lone.append(1, [1, 1], [1, 1], 3).persist).toBe(null)
    expect([lone.raft.lastIndex, lone.raft.commitIndex]).toEqual(before)
  })
})

describe('3.10: leadership transfer', () => {
  test('the leader takes no new proposals, brings the target up to date, then tells it', () => {
    const lone = leader()
    lone.step({ type: 'propose', bytes: 1 })
    expect(messages(lone.step({ type: 'transferLeadership', to: 2 }))).toEqual([])
    expect(lone.step({ type: 'propose', bytes: 1 }).dropped).toBe('transferring')
    expect(messages(lone.accepted(2, 2))).toEqual([{ type: 'timeoutNow', term: 2 }])
  })

  test('the target starts an election at once, without waiting and without asking first', () => {
    const lone = new Lone({ term: 1, terms: [1] })
    lone.step({ type: 'heartbeat', from: 2, term: 1, commitIndex: 0 })
    const told = lone.hear(2, { type: 'timeoutNow', term: 1 })
    expect([lone.raft.role, lone.raft.currentTerm]).toEqual(['candidate', 2])
    expect(told.sendAfterPersist).toMatchObject([
      { message: { preVote: false, transfer: true } },
      { message: { preVote: false, transfer: true } },
    ])
  })
})

describe('4: cluster membership changes', () => {
  const joined = { voters: [1, 2, 3, 4], outgoing: [1, 2, 3], learners: [], learnersNext: [] }

  function told(lone: Lone, commitIndex = 0): Effects {
    const entries = [{ index: 1, term: 1, bytes: 9, configuration: joined }]
    const request = { type: 'appendRequest', term: 1, previousIndex: 0, previousTerm: 0 } as const
    return lone.hear(2, { ...request, entries, commitIndex })
  }

  test('4.1: a server uses the newest configuration in its log, committed or not', () => {
    const lone = new Lone({ term: 1 })
    told(lone)
    expect([lone.raft.configuration, lone.raft.commitIndex]).toEqual([joined, 0])
  })

  test('4.1: a server whose newest configuration is truncated falls back to the one before (C2, F5)', () => {
    const lone = new Lone({ term: 1 })
    told(lone)
    lone.append(2, [0, 0], [2])
    expect([lone.raft.configuration, lone.raft.configurationIndex]).toEqual([configurationOf([1, 2, 3]), 0])
  })

  test('4.1: appends of a leader that is not in the own configuration are accepted', () => {
    const lone = new Lone({ term: 1, configuration: configurationOf([1]) })
    const request = { type: 'appendRequest', term: 3, previousIndex: 0, previousTerm: 0 } as const
    const effects = lone.hear(9, { ...request, entries: [{ index: 1, term: 3, bytes: 1 }], commitIndex: 0 })
    expect(messages(effects)).toMatchObject([{ type: 'appendAccepted', matchIndex: 1 }])
    expect(lone.raft.leader).toBe(9)
  })

  test('4.1: a vote is given to a candidate that is not in the own configuration (F9)', () => {
    const lone = new Lone({ term: 1, configuration: configurationOf([1]) })
    const request = { type: 'voteRequest', term: 3, preVote: false, lastIndex: 1, lastTerm: 1 } as const
    expect(messages(lone.hear(9, { ...request, transfer: false }))).toMatchObject([{ granted: true }])
  })

  test('4.2.1: a server without a vote gets the log and neither votes itself into office nor counts', () => {
    const lone = new Lone({ self: 4, term: 1, configuration: configurationOf([1, 2, 3], [4]) })
    lone.now += 10_000
    lone.step({ type: 'tick' })
    expect(lone.raft.role).toBe('follower')
    const leading = new Lone({ term: 1, configuration: configurationOf([1, 2], [3]) })
    expect(appends(leading.lead(), 3)).toEqual([[0, 1]])
    expect(leading.accepted(3, 1).commitIndex).toBe(null)
    expect(leading.accepted(2, 1).commitIndex).toBe(1)
  })

  test('4.3: an election in a joint configuration needs a majority of each half', () => {
    const lone = new Lone({
      term: 1,
      terms: [1],
      configurations: [
        { index: 0, configuration: configurationOf([1, 2, 3]) },
        {
          index: 1,
          configuration: { voters: [1, 4, 5], outgoing: [1, 2, 3], learners: [], learnersNext: [] },
        },
      ],
    })
    const effects = lone.step({ type: 'tick' })
    expect(effects.send.map(({ to }) => to)).toEqual([2, 3, 4, 5])
    preVote(lone, 4)
    preVote(lone, 5)
    expect(lone.raft.role).toBe('preCandidate')
    lone.persist(preVote(lone, 2))
    expect(lone.raft.role).toBe('candidate')
    voteFor(lone, 2)
    voteFor(lone, 3)
    expect(lone.raft.role).toBe('candidate')
    voteFor(lone, 5)
    expect(lone.raft.role).toBe('leader')
  })

  test('4.3: a server of either half may lead, also one that is about to leave', () => {
    const configurations = [
      { index: 0, configuration: configurationOf([1, 2]) },
      { index: 1, configuration: { voters: [2, 3], outgoing: [1, 2], learners: [], learnersNext: [] } },
    ]
    for (const self of [1, 3]) {
      const lone = new Lone({ self, term: 1, terms: [1], configurations })
      lone.step({ type: 'tick' })
      for (const from of [1, 2, 3]) {
        if (from === self || lone.raft.role !== 'preCandidate') continue
        const asked = preVote(lone, from)
        lone.persist(asked)
      }
      for (const from of [1, 2, 3]) if (from !== self && lone.raft.role === 'candidate') voteFor(lone, from)
      expect(lone.raft.role, `${self}`).toBe('leader')
    }
  })
})

describe('5: log compaction', () => {
  test('the check of the first entry behind a snapshot is made with the index and term of its last one', () => {
    const lone = new Lone({ term: 4, compacted: { index: 7, term: 3 } })
    expect(messages(lone.append(4, [7, 3], [4]))).toMatchObject([{ type: 'appendAccepted', matchIndex: 8 }])
    expect(() => lone.append(4, [7, 2], [])).toThrow('COMMITTED_CONFLICT')
  })

  test('the newest configuration that is compacted is kept', () => {
    const lone = new Lone({ term: 1, configuration: configurationOf([1]) })
    lone.lead()
    lone.persist(lone.step({ type: 'proposeConfiguration', voters: [1], learners: [2] }))
    lone.persist(lone.step({ type: 'propose', bytes: 1 }))
    lone.step({ type: 'applied', index: 3 })
    lone.step({ type: 'compacted', index: 3 })
    expect([lone.raft.configuration, lone.raft.configurationIndex]).toEqual([configurationOf([1], [2]), 2])
  })
})

describe('6: clients', () => {
  test('6.2: a leader steps down when an election timeout passes without an answer from a majority', () => {
    const lone = leader([1, 2, 3, 4, 5])
    lone.now += 500
    lone.step({ type: 'confirmed', from: 2, term: 2, round: 1, sentAt: lone.now })
    lone.now += 100
    expect(lone.step({ type: 'tick' }).status).toEqual({ role: 'follower', currentTerm: 2, leader: null })
  })

  test('6.4: a read gets the commit index of its arrival, is released by a later round, and waits for that index to be applied', () => {
    const lone = leader()
    lone.step({ type: 'read', round: 4, tag: 1 })
    lone.persist(lone.step({ type: 'propose', bytes: 1 }))
    lone.accepted(2, 2)
    const confirm = (round: number): Effects =>
      lone.step({ type: 'confirmed', from: 2, term: 2, round, sentAt: lone.now })
    expect(confirm(3).reads).toEqual([])
    expect(confirm(4).reads).toEqual([{ tag: 1, index: 1 }])
  })
})

describe('10.2.1: writing to the disk in parallel', () => {
  test('the leader may commit what its own disk does not hold yet, when a majority of the others does', () => {
    const lone = leader()
    lone.step({ type: 'propose', bytes: 1 })
    lone.accepted(2, 2)
    expect(lone.accepted(3, 2).commitIndex).toBe(2)
    expect(lone.raft.durableIndex).toBe(1)
  })

  test('a follower answers when its disk holds the entries, the leader sends before its own does', () => {
    const proposed = leader().step({ type: 'propose', bytes: 1 })
    expect([proposed.send.length, proposed.sendAfterPersist]).toEqual([2, []])
    const followed = new Lone({ self: 2, term: 2 }).append(2, [0, 0], [2])
    expect([followed.send, followed.sendAfterPersist.length]).toEqual([[], 1])
  })
})
