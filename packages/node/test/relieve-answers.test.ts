import { type Command, encodeSection, limits, validateSection } from '@quorate/protocol'
import { createShardState, type ShardState } from '@quorate/state-machine'
import { describe, expect, it } from 'vitest'
import { relief } from '../src/replica/relieve-answers.ts'

const key = new TextEncoder().encode('k')
const session = { group: 1, version: 1 }
const set = (sequence: number): Command => ({
  op: 'set',
  sequence,
  notAfter: 1_000,
  key,
  value: { type: 'integer', integer: sequence },
  condition: { type: 'ifAbsent' },
  ttl: 0,
})

let index = 0
function applied(state: ShardState, payload: Uint8Array): ReturnType<ShardState['apply']> {
  index = state.appliedIndex + 1
  const entry = { index, term: 1, type: 'commands' as const, stamp: 1, payload }
  const rows = state.prefetch(entry).map(() => undefined)
  return state.apply(entry, rows)
}

describe('a shard with too many stored answers', () => {
  it('takes of commands only the acknowledgement: answers go, nothing is executed', () => {
    const state = createShardState(1)
    const slots = new Uint8Array(limits.slots / 8).fill(0xff)
    applied(state, encodeSection({ kind: 'openSession', group: 1, notAfter: 1_000 }))
    applied(state, encodeSection({ kind: 'found', group: 1, epoch: 1, slots }))
    applied(
      state,
      encodeSection({ kind: 'commands', group: 1, session, ackedUpTo: 0, commands: [set(1), set(2)] }),
    )
    const before = state.storedAnswerBytes
    expect(before).toBeGreaterThan(0)
    const version = state.lastVersion
    const admitted = relief(
      encodeSection({ kind: 'commands', group: 1, session, ackedUpTo: 2, commands: [set(3)] }),
    )
    if (admitted?.type !== 'acknowledgement') throw new Error('no acknowledgement')
    expect(validateSection(admitted.bytes, { origin: 'client' }).count).toBe(1)
    expect(applied(state, admitted.bytes)).toMatchObject([[{ type: 'refused', code: 'STALE' }]])
    expect(state.storedAnswerBytes).toBe(0)
    expect(state.lastVersion).toBe(version)
  })

  it('takes a section that closes a session as it is', () => {
    expect(relief(encodeSection({ kind: 'closeSession', group: 1, session }))).toEqual({ type: 'whole' })
  })

  it('takes nothing that frees nothing', () => {
    expect(relief(encodeSection({ kind: 'openSession', group: 1, notAfter: 5 }))).toBeNull()
    expect(
      relief(encodeSection({ kind: 'commands', group: 1, session, ackedUpTo: 0, commands: [set(1)] })),
    ).toBeNull()
  })
})
