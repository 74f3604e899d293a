// The follower's side of log replication (dissertation 3.5) with an asynchronous disk.
import { describe, expect, test } from 'vitest'
import { InvariantViolation } from '../src/index.ts'
import { Lone, messages } from './support/lone.ts'
import { configurationOf } from './support/world.ts'

describe('appends', () => {
  test('"reply false if log does not contain an entry at prevLogIndex whose term matches prevLogTerm" (Figure 3.1)', () => {
    const lone = new Lone({ term: 3, terms: [1, 1, 2] })
    expect(messages(lone.append(3, [5, 3], [3]))).toMatchObject([
      { type: 'appendRejected', rejectedIndex: 5, hintIndex: 3, hintTerm: 2 },
    ])
    expect(messages(lone.append(3, [3, 3], [3]))).toMatchObject([
      { type: 'appendRejected', rejectedIndex: 3, hintIndex: 3, hintTerm: 2 },
    ])
    expect(messages(lone.append(3, [3, 1], []))).toMatchObject([
      { type: 'appendRejected', rejectedIndex: 3, hintIndex: 2, hintTerm: 1 },
    ])
    expect(lone.terms()).toEqual([1, 1, 2])
  })

  test('"if an existing entry conflicts with a new one, delete it and all that follow it" (Figure 3.1, B8)', () => {
    const lone = new Lone({ term: 3, terms: [1, 1, 2, 2] })
    const effects = lone.append(3, [1, 1], [1, 3])
    expect(lone.terms()).toEqual([1, 1, 3])
    expect(effects.persist?.entries).toEqual([{ index: 3, term: 3, bytes: 1 }])
  })

  test('B2, B4: a late append that the log already holds erases nothing behind it', () => {
    const lone = new Lone({ term: 2, terms: [1, 2, 2, 2] })
    const effects = lone.append(2, [1, 1], [2])
    expect(lone.terms()).toEqual([1, 2, 2, 2])
    expect(effects.persist).toBe(null)
    expect(messages(effects)).toMatchObject([{ type: 'appendAccepted', matchIndex: 2 }])
  })

  test('B3: acknowledges only what the message proves, not its own tail', () => {
    const lone = new Lone({ term: 2, terms: [1, 1, 1, 1] })
    expect(messages(lone.append(3, [2, 1], []))).toMatchObject([{ type: 'appendAccepted', matchIndex: 2 }])
  })

  test('commits only what the message proves, though the leader has committed more', () => {
    const lone = new Lone({ term: 2, terms: [1, 1, 1, 1] })
    expect(lone.append(3, [2, 1], [], 4).commitIndex).toBe(2)
  })

  test('B6: the commit index does not go back with an older message', () => {
    const lone = new Lone({ term: 1, terms: [1, 1, 1], commitIndex: 3 })
    expect(lone.append(1, [0, 0], [1], 1).commitIndex).toBe(null)
    expect(lone.step({ type: 'heartbeat', from: 2, term: 1, commitIndex: 1 }).commitIndex).toBe(null)
    expect(lone.raft.commitIndex).toBe(3)
  })

  test('B10: an append behind a compacted log is accepted, also one that begins within it', () => {
    const lone = new Lone({ term: 3, compacted: { index: 10, term: 2 }, terms: [2, 3] })
    expect(messages(lone.append(3, [10, 2], [2]))).toMatchObject([{ type: 'appendAccepted', matchIndex: 11 }])
    expect(messages(lone.append(3, [8, 1], [1, 2, 2, 3, 3]))).toMatchObject([
      { type: 'appendAccepted', matchIndex: 13 },
    ])
    expect(messages(lone.append(3, [4, 1], []))).toMatchObject([{ type: 'appendAccepted', matchIndex: 4 }])
    expect(lone.raft.lastIndex).toBe(13)
  })

  test('a committed entry is never replaced: a leader that contradicts it breaks an invariant', () => {
    const lone = new Lone({ term: 2, terms: [1, 2], commitIndex: 2 })
    expect(() => lone.append(3, [1, 1], [3])).toThrow('COMMITTED_CONFLICT')
    expect(() => new Lone({ term: 2, terms: [1, 2], commitIndex: 2 }).append(3, [2, 1], [])).toThrow(
      'COMMITTED_CONFLICT',
    )
  })

  test('entries that no leader can have sent change nothing', () => {
    const lone = new Lone({ term: 3 })
    const entry = (index: number, term: number) => ({ index, term, bytes: 1 })
    for (const entries of [
      [entry(2, 3)],
      [entry(1, 3), entry(3, 3)],
      [entry(1, 3), entry(2, 2)],
      [entry(1, 4)],
    ]) {
      const effects = lone.hear(2, {
        type: 'appendRequest',
        term: 3,
        previousIndex: 0,
        previousTerm: 0,
        entries,
        commitIndex: 0,
      })
      expect([...messages(effects), effects.persist]).toEqual([null])
    }
  })
})

describe('acknowledgements wait for the disk', () => {
  test('rule 11: what the step wrote is acknowledged behind its own persist', () => {
    const lone = new Lone({ term: 1 })
    const effects = lone.append(1, [0, 0], [1])
    expect(effects.send).toEqual([])
    expect(effects.persist?.number).toBe(1)
    expect(effects.sendAfterPersist).toHaveLength(1)
    expect(lone.raft.durableIndex).toBe(0)
    lone.persist(effects)
    expect(lone.raft.durableIndex).toBe(1)
  })

  test('a duplicate of what is not yet durable is acknowledged behind the pending write, too', () => {
    const lone = new Lone({ term: 1 })
    lone.append(1, [0, 0], [1])
    const again = lone.append(1, [0, 0], [1])
    expect(again.persist).toBe(null)
    expect(again.send).toEqual([])
    expect(again.sendAfterPersist).toMatchObject([{ message: { matchIndex: 1 } }])
  })

  test('B12: an index is durable when the last persist that wrote it has ended', () => {
    const lone = new Lone({ term: 1 })
    lone.append(1, [0, 0], [1, 1, 1])
    lone.append(2, [1, 1], [2])
    lone.append(3, [1, 1], [1, 1])
    lone.step({ type: 'persisted', number: 1 })
    expect([lone.raft.durableIndex, lone.raft.durableTerm]).toEqual([1, 1])
    lone.step({ type: 'persisted', number: 2 })
    expect([lone.raft.durableIndex, lone.raft.durableTerm]).toEqual([1, 2])
    lone.step({ type: 'persisted', number: 3 })
    expect([lone.raft.durableIndex, lone.raft.durableTerm]).toEqual([3, 3])
  })

  test('the end of a persist that never began breaks an invariant', () => {
    expect(() => new Lone().step({ type: 'persisted', number: 1 })).toThrow('HOST')
  })
})

describe('what a leader knows to be held here', () => {
  test('a capped commit index beyond the log proves that acknowledged entries are lost', () => {
    const lone = new Lone({ term: 1, terms: [1, 1] })
    const act = (): unknown => lone.step({ type: 'heartbeat', from: 2, term: 1, commitIndex: 3 })
    expect(act).toThrow(InvariantViolation)
    expect(act).toThrow('LOST_ACKNOWLEDGED')
  })

  test('a disk that holds less than was committed is refused at start', () => {
    expect(() => new Lone({ term: 1, terms: [1], commitIndex: 2 })).toThrow('LOST_ACKNOWLEDGED')
    expect(() => new Lone({ term: 1, terms: [2] })).toThrow('LOST_ACKNOWLEDGED')
  })
})

describe('snapshots', () => {
  const configuration = configurationOf([4, 5, 6])
  const snapshot = { type: 'snapshotInstalled', from: 2, configuration } as const

  test('C2, C3: a snapshot above the log replaces it, and what the discarded log said of members', () => {
    const lone = new Lone({
      term: 3,
      terms: [1, 1],
      configurations: [
        { index: 0, configuration: configurationOf([1, 2]) },
        { index: 2, configuration: configurationOf([1, 2, 3]) },
      ],
    })
    const effects = lone.step({ ...snapshot, index: 9, term: 2, configurationIndex: 7 })
    expect(effects.commitIndex).toBe(9)
    expect(messages(effects)).toEqual([{ type: 'appendAccepted', term: 3, matchIndex: 9 }])
    expect([lone.raft.lastIndex, lone.raft.durableIndex, lone.raft.termAt(9), lone.raft.termAt(2)]).toEqual([
      9,
      9,
      2,
      null,
    ])
    expect([lone.raft.configuration, lone.raft.configurationIndex]).toEqual([configuration, 7])
    expect(messages(lone.append(3, [9, 2], [3]))).toMatchObject([{ type: 'appendAccepted', matchIndex: 10 }])
  })

  test('a log that conflicts with the snapshot is discarded as a whole', () => {
    const lone = new Lone({ term: 3, terms: [1, 1, 1, 1] })
    lone.step({ ...snapshot, index: 2, term: 2 })
    expect(lone.raft.lastIndex).toBe(2)
  })

  test('a log that holds the last entry of the snapshot keeps what follows: it may be acknowledged', () => {
    const lone = new Lone({ term: 3, terms: [1, 1, 1, 1] })
    lone.step({ ...snapshot, index: 2, term: 1 })
    expect([lone.raft.commitIndex, lone.raft.lastIndex, lone.raft.termAt(1), lone.raft.termAt(3)]).toEqual([
      2,
      4,
      null,
      1,
    ])
  })

  test('C8, C15: one at or below the commit index changes nothing and is answered with the commit index', () => {
    const lone = new Lone({ term: 3, terms: [1, 1, 1], commitIndex: 3 })
    const effects = lone.step({ ...snapshot, index: 2, term: 1 })
    expect(effects.commitIndex).toBe(null)
    expect(messages(effects)).toEqual([{ type: 'appendAccepted', term: 3, matchIndex: 3 }])
    expect(lone.terms()).toEqual([1, 1, 1])
  })

  test('writes that were under way when it replaced the log make nothing durable or undone', () => {
    const lone = new Lone({ term: 1 })
    lone.append(1, [0, 0], [1, 1])
    lone.step({ ...snapshot, index: 9, term: 1 })
    expect(lone.raft.durableIndex).toBe(9)
    lone.step({ type: 'persisted', number: 1 })
    expect([lone.raft.durableIndex, lone.raft.lastIndex]).toEqual([9, 9])
  })

  test('C17: a snapshot of a higher term is news of that term', () => {
    const lone = new Lone({ term: 1 })
    expect(lone.step({ ...snapshot, index: 9, term: 4 }).persist?.hardState).toEqual({
      currentTerm: 4,
      votedFor: null,
    })
  })

  test('C1: term and vote survive compaction and installation', () => {
    const lone = new Lone({ term: 3, votedFor: 2, terms: [1, 1] })
    lone.step({ ...snapshot, index: 9, term: 2 })
    expect(lone.raft.currentTerm).toBe(3)
    const other = lone.hear(3, {
      type: 'voteRequest',
      term: 3,
      preVote: false,
      lastIndex: 99,
      lastTerm: 3,
      transfer: false,
    })
    expect(messages(other)).toMatchObject([{ granted: false }])
  })

  test('compaction beyond what is applied breaks an invariant', () => {
    const lone = new Lone({ term: 1, terms: [1, 1], commitIndex: 1 })
    expect(() => lone.step({ type: 'compacted', index: 2 })).toThrow('COMPACTED_TOO_FAR')
  })
})
