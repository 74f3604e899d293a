import { encodeConfiguration } from '@quorate/protocol'
import type { RecoveredReplica, ReplicaHead } from '@quorate/storage'
import { describe, expect, it } from 'vitest'
import { recoverReplica } from '../src/replica/recover.ts'

const configuration = { voters: [1, 2, 3], outgoing: [], learners: [], learnersNext: [] }
const encoded = encodeConfiguration(configuration)
const log = (change: Partial<RecoveredReplica>): RecoveredReplica => ({
  group: 1,
  incarnation: 1,
  state: 'live',
  reason: null,
  hardState: { currentTerm: 4, votedFor: 2 },
  initialConfiguration: encoded,
  compacted: null,
  lastIndex: 10,
  terms: [
    { firstIndex: 1, term: 1 },
    { firstIndex: 6, term: 3 },
  ],
  configurationEntries: [],
  lastStamp: 0,
  ...change,
})
const head = (appliedIndex: number, appliedTerm: number): ReplicaHead => ({
  group: 1,
  incarnation: 1,
  generation: 1,
  appliedIndex,
  appliedTerm,
  configuration,
  configurationIndex: 0,
  machine: new Uint8Array(0),
})

describe('recovery of a replica', () => {
  it('goes on from the checkpoint with the log that holds it', () => {
    const recovery = recoverReplica(log({}), head(7, 3))
    expect(recovery).toMatchObject({
      type: 'go',
      recovered: {
        commitIndex: 7,
        appliedIndex: 7,
        lastIndex: 10,
        hardState: { currentTerm: 4, votedFor: 2 },
      },
    })
  })

  it('starts at nothing without a checkpoint', () => {
    expect(recoverReplica(log({}), null)).toMatchObject({
      type: 'go',
      recovered: { commitIndex: 0, appliedIndex: 0, lastIndex: 10 },
    })
  })

  it('C5, C7: begins at the state where the log does not reach it (crash between flip and reset), and keeps term and vote', () => {
    const recovery = recoverReplica(log({}), head(50, 4))
    expect(recovery).toMatchObject({
      type: 'beginAtState',
      recovered: {
        compacted: { index: 50, term: 4 },
        terms: [],
        lastIndex: 50,
        appliedIndex: 50,
        hardState: { currentTerm: 4, votedFor: 2 },
      },
    })
  })

  it('begins at the state where the log has another term at the applied index', () => {
    expect(recoverReplica(log({}), head(5, 2)).type).toBe('beginAtState')
  })

  it('C5 C15: a log that begins behind the newest checkpoint is damage, never an empty gap', () => {
    const compacted = { index: 20, term: 3, checkpoint: 2, configuration: encoded, configurationIndex: 0 }
    for (const applied of [10, 19]) {
      const begins = log({ compacted, lastIndex: 25, terms: [{ firstIndex: 21, term: 3 }] })
      expect(recoverReplica(begins, head(applied, 3)).type).toBe('damaged')
    }
    expect(
      recoverReplica(log({ compacted, lastIndex: 25, terms: [{ firstIndex: 21, term: 3 }] }), null).type,
    ).toBe('damaged')
    expect(
      recoverReplica(log({ compacted, lastIndex: 25, terms: [{ firstIndex: 21, term: 3 }] }), head(20, 3))
        .type,
    ).toBe('go')
  })
})
