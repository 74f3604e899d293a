// The leader's side: windows and limits, commitment, membership, reads.
import { describe, expect, test } from 'vitest'
import type { Effects, Message } from '../src/index.ts'
import { Lone, messages } from './support/lone.ts'
import { configurationOf } from './support/world.ts'

/** What was sent to a peer: the indexes of each append. */
function appendsTo(effects: Effects, peer: number): number[][] {
  return effects.send.flatMap(({ to, message }) =>
    to === peer && message.type === 'appendRequest' ? [message.entries.map(({ index }) => index)] : [],
  )
}

function leader(past: ConstructorParameters<typeof Lone>[0] = {}): Lone {
  const lone = new Lone({ term: 1, ...past })
  lone.lead()
  return lone
}

/** A leader whose no-op is committed and whose peers are in the replicate state. */
function settled(past: ConstructorParameters<typeof Lone>[0] = {}): Lone {
  const lone = leader(past)
  const { voters, learners } = lone.raft.configuration
  for (const peer of [...voters, ...learners])
    if (peer !== lone.raft.self) lone.accepted(peer, lone.raft.lastIndex)
  return lone
}

const confirm = (lone: Lone, from: number, round: number, term = lone.raft.currentTerm): Effects =>
  lone.step({ type: 'confirmed', from, term, round, sentAt: lone.now })

describe('replication', () => {
  test('D1: winning appends a no-op, reported, written and sent in the same step (6.4)', () => {
    const lone = new Lone({ term: 1 })
    const won = lone.lead()
    expect(won.appended).toEqual([{ index: 1, term: 2, bytes: 0 }])
    expect(won.persist?.entries).toEqual(won.appended)
    expect([appendsTo(won, 2), appendsTo(won, 3)]).toEqual([[[1]], [[1]]])
  })

  test('a window admits its first append whatever its size, then up to its bytes and its count', () => {
    const lone = settled({ limits: { inflightAppends: 2, inflightBytes: 100, appendBytes: 100 } })
    expect(appendsTo(lone.step({ type: 'propose', bytes: 5_000 }), 2)).toEqual([[2]])
    expect(appendsTo(lone.step({ type: 'propose', bytes: 1 }), 2)).toEqual([])
    expect(appendsTo(lone.accepted(2, 2), 2)).toEqual([[3]])
    expect(appendsTo(lone.step({ type: 'propose', bytes: 1 }), 2)).toEqual([[4]])
    expect(appendsTo(lone.step({ type: 'propose', bytes: 1 }), 2)).toEqual([])
    lone.step({ type: 'propose', bytes: 1 })
    expect(appendsTo(lone.accepted(2, 3), 2)).toEqual([[5, 6]])
  })

  test('B5, B7: late rejections and acceptances move nothing back', () => {
    const lone = settled()
    for (let count = 0; count < 3; count++) lone.step({ type: 'propose', bytes: 1 })
    lone.accepted(2, 4)
    const rejected: Message = { type: 'appendRejected', term: 2, rejectedIndex: 3, hintIndex: 0, hintTerm: 0 }
    expect(messages(lone.hear(2, rejected))).toEqual([])
    expect(messages(lone.accepted(2, 2))).toEqual([])
    expect(lone.raft.matchIndexOf(2)).toBe(4)
    expect(appendsTo(lone.step({ type: 'propose', bytes: 1 }), 2)).toEqual([[5]])
  })

  test('an answer beyond the own log breaks an invariant', () => {
    expect(() => settled().accepted(2, 99)).toThrow('PROGRESS_OUT_OF_RANGE')
  })

  test('a lost append is asked for again after 100 ms, by an empty one', () => {
    const lone = settled()
    lone.step({ type: 'propose', bytes: 1 })
    lone.now += 99
    expect(appendsTo(lone.step({ type: 'tick' }), 2)).toEqual([])
    lone.now += 1
    expect(appendsTo(lone.step({ type: 'tick' }), 2)).toEqual([[]])
    expect(
      appendsTo(
        lone.hear(2, { type: 'appendRejected', term: 2, rejectedIndex: 2, hintIndex: 1, hintTerm: 2 }),
        2,
      ),
    ).toEqual([[2]])
  })

  test('a compacted log is told once, and appends go on where an answer reconnects', () => {
    const lone = settled()
    lone.step({ type: 'propose', bytes: 1 })
    lone.accepted(2, 2)
    lone.step({ type: 'persisted', number: 3 })
    lone.step({ type: 'applied', index: 2 })
    lone.step({ type: 'compacted', index: 2 })
    expect(
      lone.hear(3, { type: 'appendRejected', term: 2, rejectedIndex: 1, hintIndex: 0, hintTerm: 0 })
        .snapshotWanted,
    ).toEqual([])
    expect(lone.step({ type: 'unavailable', peer: 3 }).snapshotWanted).toEqual([3])
    expect(lone.step({ type: 'unavailable', peer: 3 }).snapshotWanted).toEqual([])
    expect(appendsTo(lone.step({ type: 'propose', bytes: 1 }), 3)).toEqual([])
    expect(appendsTo(lone.accepted(3, 2), 3)).toEqual([[3]])
  })

  test('uncommitted bytes are limited, and the first proposal is admitted whatever its size', () => {
    const lone = settled({ limits: { uncommittedBytes: 100 } })
    expect(lone.step({ type: 'propose', bytes: 500 }).dropped).toBe(null)
    const full = lone.step({ type: 'propose', bytes: 1 })
    expect([full.dropped, full.appended, full.persist]).toEqual(['uncommittedFull', [], null])
    lone.step({ type: 'persisted', number: 3 })
    expect(lone.accepted(2, 2).commitIndex).toBe(2)
    expect(lone.step({ type: 'propose', bytes: 100 }).dropped).toBe(null)
  })
})

describe('commitment', () => {
  test('B11: the leader counts itself only up to what its disk holds', () => {
    const lone = settled({ configuration: configurationOf([1, 2]) })
    const proposed = lone.step({ type: 'propose', bytes: 1 })
    expect(lone.accepted(2, 2).commitIndex).toBe(null)
    expect(lone.persist(proposed)?.commitIndex).toBe(2)
  })

  test('B11, D10: alone, nothing is committed or read before the own disk has it', () => {
    const lone = new Lone({ term: 3, terms: [1, 3], configuration: configurationOf([1]), commitIndex: 1 })
    const asked = lone.step({ type: 'tick' })
    expect(lone.raft.role).toBe('candidate')
    const won = lone.persist(asked)
    expect([won?.appended, won?.commitIndex, lone.raft.servesReads]).toEqual([
      [{ index: 3, term: 4, bytes: 0 }],
      null,
      false,
    ])
    expect(lone.step({ type: 'read', round: 1, tag: 5 }).reads).toEqual([])
    const durable = lone.step({ type: 'persisted', number: 2 })
    expect([durable.commitIndex, durable.reads]).toEqual([3, [{ tag: 5, index: 3 }]])
  })

  test('B1: "only log entries from the leader\'s current term are committed by counting replicas" (3.6.2)', () => {
    const lone = leader({ term: 2, terms: [1, 2] })
    expect(lone.accepted(2, 2).commitIndex).toBe(null)
    expect(lone.accepted(2, 3).commitIndex).toBe(3)
  })
})

describe('reads', () => {
  test('D1: none before an entry of the term is committed; then at that commit index', () => {
    const lone = leader({ terms: [1], term: 1 })
    lone.step({ type: 'read', round: 1, tag: 7 })
    expect(confirm(lone, 2, 1).reads).toEqual([])
    expect(lone.raft.servesReads).toBe(false)
    expect(lone.accepted(3, 2).reads).toEqual([{ tag: 7, index: 2 }])
  })

  test('D2: a confirmation of an older round, of another term or of a learner is none', () => {
    const lone = settled({ configuration: configurationOf([1, 2, 3], [4]) })
    lone.step({ type: 'read', round: 5, tag: 7 })
    expect(confirm(lone, 2, 4).reads).toEqual([])
    expect(confirm(lone, 2, 9, 1).reads).toEqual([])
    expect(confirm(lone, 4, 9).reads).toEqual([])
    expect(confirm(lone, 99, 9).reads).toEqual([])
    expect(confirm(lone, 2, 5).reads).toEqual([{ tag: 7, index: 1 }])
  })

  test('the index is the commit index when the read arrived, and one confirmation releases all that waited for it', () => {
    const lone = settled()
    lone.step({ type: 'read', round: 1, tag: 1 })
    const proposed = lone.step({ type: 'propose', bytes: 1 })
    lone.persist(proposed)
    lone.accepted(2, 2)
    lone.step({ type: 'read', round: 1, tag: 2 })
    lone.step({ type: 'read', round: 2, tag: 3 })
    expect(confirm(lone, 3, 1).reads).toEqual([
      { tag: 1, index: 1 },
      { tag: 2, index: 2 },
    ])
    expect(confirm(lone, 3, 2).reads).toEqual([{ tag: 3, index: 2 }])
  })

  test.each([2, 3, 4, 5, 6, 7])(
    'D11: of %i voters the leader needs all but a minority of the others',
    (size) => {
      const ids = Array.from({ length: size }, (_, place) => place + 1)
      const lone = settled({ configuration: configurationOf(ids) })
      lone.step({ type: 'read', round: 1, tag: 1 })
      const needed = Math.floor(size / 2)
      for (let peer = 2; peer < 2 + needed - 1; peer++) expect(confirm(lone, peer, 1).reads).toEqual([])
      expect(confirm(lone, 1 + needed, 1).reads).toEqual([{ tag: 1, index: 1 }])
    },
  )

  test('E9: a leader that steps down drops its reads, and a follower takes none', () => {
    const lone = settled()
    lone.step({ type: 'read', round: 1, tag: 1 })
    expect(lone.hear(2, { type: 'termNotice', term: 9 }).readsDropped).toEqual([1])
    expect(lone.step({ type: 'read', round: 1, tag: 2 }).readsDropped).toEqual([2])
    expect(lone.step({ type: 'propose', bytes: 1 }).dropped).toBe('notLeader')
  })

  test('E3: an entry that is truncated is never reported as dropped', () => {
    const lone = settled()
    lone.step({ type: 'propose', bytes: 1 })
    const replaced = lone.append(9, [1, 2], [9])
    expect(replaced.persist?.entries).toMatchObject([{ index: 2, term: 9 }])
    expect(replaced.dropped).toBe(null)
  })
})

describe('membership changes (4.3)', () => {
  const change = (lone: Lone, voters: number[], learners: number[] = []): Effects =>
    lone.step({ type: 'proposeConfiguration', voters, learners })

  test('F1: none before an entry of the term is committed, none while another one is in flight', () => {
    const lone = leader()
    expect(change(lone, [1, 2, 3], [4]).dropped).toBe('changeInFlight')
    lone.accepted(2, 1)
    lone.accepted(3, 1)
    expect(change(lone, [1, 2, 3], [4]).dropped).toBe(null)
    expect(change(lone, [1, 2, 3], [5]).dropped).toBe('changeInFlight')
  })

  test('F1: of four, two removals by two leaders cannot both be committed: each needs the old majority', () => {
    const lone = settled({ configuration: configurationOf([1, 2, 3, 4]) })
    const proposed = change(lone, [1, 2, 3])
    lone.persist(proposed)
    expect(lone.accepted(2, 2).commitIndex).toBe(null)
    expect(lone.accepted(3, 2).commitIndex).toBe(2)
  })

  test.each([
    ['no voter', [], []],
    ['an unknown voter', [1, 2, 3, 9], []],
    ['a member twice', [1, 2, 3], [3]],
    ['a voter twice', [1, 2, 2], []],
    ['an id that is none', [1, 2, 3], [0.5]],
  ])('a change with %s is unsafe', (_, voters, learners) => {
    const lone = settled()
    const effects = change(lone, voters, learners)
    expect([effects.dropped, effects.persist]).toEqual(['unsafeChange', null])
  })

  test('a learner is promoted only when it is caught up and heard', () => {
    const lone = settled({ configuration: configurationOf([1, 2, 3], [4]), limits: { inflightBytes: 100 } })
    for (let count = 0; count < 2; count++) {
      lone.persist(lone.step({ type: 'propose', bytes: 80 }))
      lone.accepted(2, lone.raft.lastIndex)
    }
    expect(lone.raft.commitIndex).toBe(3)
    expect(change(lone, [1, 2, 3, 4]).dropped).toBe('unsafeChange')
    lone.accepted(4, 2)
    lone.now += 700
    expect(change(lone, [1, 2, 3, 4]).dropped).toBe('unsafeChange')
    for (const peer of [2, 4]) confirm(lone, peer, 1)
    expect(change(lone, [1, 2, 3, 4]).dropped).toBe(null)
  })

  test('rule 9: a change that would leave fewer live voters than a quorum is refused (F3)', () => {
    const lone = settled()
    lone.now += 700
    confirm(lone, 2, 1)
    expect(change(lone, [1, 3]).dropped).toBe('unsafeChange')
    expect(change(lone, [1, 2]).dropped).toBe(null)
  })

  test('a group of one adds a learner, then makes it a voter', () => {
    const lone = settled({ configuration: configurationOf([1]) })
    lone.persist(change(lone, [1], [2]))
    confirm(lone, 2, 1)
    lone.accepted(2, 2)
    const joint = change(lone, [1, 2])
    expect(joint.appended[0]?.configuration).toEqual({
      voters: [1, 2],
      outgoing: [1],
      learners: [],
      learnersNext: [],
    })
    lone.persist(joint)
    const left = lone.accepted(2, 3)
    expect([left.commitIndex, left.appended[0]?.configuration]).toEqual([3, configurationOf([1, 2])])
  })

  test('a demoted voter is in learnersNext while joint, then a learner', () => {
    const lone = settled()
    const joint = change(lone, [1, 2], [3])
    expect(joint.appended[0]?.configuration).toEqual({
      voters: [1, 2],
      outgoing: [1, 2, 3],
      learners: [],
      learnersNext: [3],
    })
    lone.persist(joint)
    expect(lone.accepted(2, 2).appended[0]?.configuration).toEqual(configurationOf([1, 2], [3]))
    expect(lone.raft.matchIndexOf(3)).toBe(1)
  })

  test('F2: a joint configuration is not left before its own entry is committed', () => {
    const lone = settled()
    lone.persist(lone.step({ type: 'propose', bytes: 1 }))
    lone.persist(change(lone, [1, 2]))
    const before = lone.accepted(2, 2)
    expect([before.commitIndex, before.appended]).toEqual([2, []])
    expect(lone.accepted(2, 3).appended).toMatchObject([{ configuration: configurationOf([1, 2]) }])
  })

  test('learners alone are changed without a joint configuration', () => {
    const lone = settled()
    expect(change(lone, [1, 2, 3], [5, 4]).appended[0]?.configuration).toEqual(
      configurationOf([1, 2, 3], [4, 5]),
    )
  })

  test.each([
    ['the old', [4, 5], 2],
    ['the new', [2, 3], 4],
  ])(
    'rule 6: while joint, a read and the leadership itself also need a majority of %s voters',
    (_, one, last) => {
      const lone = settled({ configuration: configurationOf([1, 2, 3], [4, 5]) })
      expect(change(lone, [1, 4, 5]).dropped).toBe(null)
      expect(lone.raft.configuration.outgoing).toEqual([1, 2, 3])
      lone.step({ type: 'read', round: 1, tag: 1 })
      lone.now += 500
      for (const peer of one) expect(confirm(lone, peer, 1).reads).toEqual([])
      expect(confirm(lone, last, 1).reads).toEqual([{ tag: 1, index: 1 }])
      lone.now += 500
      for (const peer of one) confirm(lone, peer, 2)
      lone.now += 200
      lone.step({ type: 'tick' })
      expect(lone.raft.role).toBe('follower')
    },
  )

  test('F8: a leader that is no voter does not count itself, neither for commits nor for reads', () => {
    const lone = settled()
    lone.persist(change(lone, [2, 3]))
    lone.accepted(2, 2)
    lone.persist(lone.accepted(3, 2))
    expect(lone.raft.configuration).toEqual(configurationOf([2, 3]))
    lone.step({ type: 'read', round: 1, tag: 1 })
    expect(confirm(lone, 2, 1).reads).toEqual([])
    expect(confirm(lone, 3, 1).reads).toEqual([{ tag: 1, index: 2 }])
    expect(lone.accepted(2, 3).commitIndex).toBe(null)
    const removed = lone.accepted(3, 3)
    expect([removed.commitIndex, lone.raft.role]).toEqual([3, 'follower'])
  })
})

describe('transfers (3.10)', () => {
  test('D5: proposals and changes are refused until an election timeout has passed', () => {
    const lone = settled()
    expect(messages(lone.step({ type: 'transferLeadership', to: 2 }))).toEqual([
      { type: 'timeoutNow', term: 2 },
    ])
    expect(lone.step({ type: 'propose', bytes: 1 }).dropped).toBe('transferring')
    expect(lone.step({ type: 'proposeConfiguration', voters: [1, 2], learners: [] }).dropped).toBe(
      'transferring',
    )
    lone.now += 599
    confirm(lone, 2, 1)
    lone.step({ type: 'tick' })
    expect(lone.step({ type: 'propose', bytes: 1 }).dropped).toBe('transferring')
    lone.now += 1
    lone.step({ type: 'tick' })
    expect(lone.step({ type: 'propose', bytes: 1 }).dropped).toBe(null)
  })

  test('a learner, a stranger and the leader itself are no targets', () => {
    const lone = settled({ configuration: configurationOf([1, 2, 3], [4]) })
    for (const to of [1, 4, 9]) expect(messages(lone.step({ type: 'transferLeadership', to }))).toEqual([])
    expect(lone.step({ type: 'propose', bytes: 1 }).dropped).toBe(null)
  })
})

describe('CheckQuorum (6.2)', () => {
  test('F10: any answer of the term is contact, also about a snapshot', () => {
    const lone = settled({ configuration: configurationOf([1, 2]) })
    lone.step({ type: 'unavailable', peer: 2 })
    lone.now += 500
    lone.step({ type: 'snapshotSent', peer: 2, index: 1 })
    lone.now += 500
    lone.step({ type: 'tick' })
    expect(lone.raft.role).toBe('leader')
    lone.now += 600
    expect(lone.step({ type: 'tick' }).status).toEqual({ role: 'follower', currentTerm: 2, leader: null })
  })

  test('a sole voter and confirmations keep the leader; learners do not', () => {
    const alone = settled({ configuration: configurationOf([1], [2]) })
    alone.now += 9_000
    expect(alone.step({ type: 'tick' }).status).toBe(null)
    const lone = settled({ configuration: configurationOf([1, 2, 3], [4]) })
    lone.now += 600
    confirm(lone, 4, 1)
    lone.step({ type: 'tick' })
    expect(lone.raft.role).toBe('follower')
  })
})
