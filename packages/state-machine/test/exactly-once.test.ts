// Retries in any order: the promise of sessions.md, without a model.
import type { Answer, Command, Section } from '@quorate/protocol'
import { limits } from '@quorate/protocol'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { plain } from './support/model.ts'
import { commandsEntry, foundFor, GROUP, Replica } from './support/replica.ts'

const counter = new TextEncoder().encode('counter')
const list = new TextEncoder().encode('list')
const never = Number.MAX_SAFE_INTEGER
const open: Section = { kind: 'openSession', group: GROUP, notAfter: never }

const always = { type: 'always' } as const

function incr(sequence: number, by = 1): Command {
  return { op: 'incr', sequence, notAfter: never, key: counter, by }
}

function set(sequence: number, value: Uint8Array, notAfter = never): Command {
  return {
    op: 'set',
    sequence,
    notAfter,
    key: list,
    value: { type: 'bytes', bytes: value },
    condition: always,
    ttl: 0,
  }
}

function section(version: number, ackedUpTo: number, ...commands: Command[]): Section {
  return { kind: 'commands', group: GROUP, session: { group: GROUP, version }, ackedUpTo, commands }
}

function started(hotBytesMax = 0): Replica {
  const replica = new Replica(hotBytesMax)
  replica.append(commandsEntry(1_000, foundFor([counter, list], 1), open))
  return replica
}

function codes(answers: readonly (readonly Answer[])[]): string[] {
  return answers.flat().map((answer) => (answer.type === 'refused' ? answer.code : answer.result.type))
}

function counted(replica: Replica): number {
  const [answer] = replica.read([counter], 0)
  if (answer?.type !== 'applied' || answer.result.type !== 'entry') return 0
  return answer.result.value.type === 'integer' ? answer.result.value.integer : Number.NaN
}

describe('an operation', () => {
  test('E1 E4 C11 H12: is applied at most once and answers the same however often, in whatever order and across whatever restarts it is sent', () => {
    const attempt = fc.record({
      sequence: fc.integer({ min: 1, max: 12 }),
      acked: fc.nat(3),
      host: fc.constantFrom('nothing', 'nothing', 'checkpoint', 'freeze', 'restart'),
    })
    fc.assert(
      fc.property(
        fc.array(attempt, { size: 'max', maxLength: 50 }),
        fc.constantFrom(0, 10_000),
        (attempts, hot) => {
          const replica = started(hot)
          const applied: { sequence: number; answer: string }[] = []
          const refusals: (string | undefined)[] = []
          for (const { sequence, acked, host } of attempts) {
            if (host === 'checkpoint' && !replica.checkpointOpen) replica.checkpoint()
            else if (host === 'freeze' && !replica.checkpointOpen) replica.freeze()
            else if (host === 'freeze') replica.release()
            else if (host === 'restart') replica.restart()
            // Operation n adds 16^(n - 1): the sum alone tells how often each ran, as long as it is fewer than 16 times.
            const entry = commandsEntry(1_000, section(1, acked, incr(sequence, 16 ** (sequence - 1))))
            const answer = replica.append(entry)[0]?.[0]
            if (answer?.type === 'applied') applied.push({ sequence, answer: plain(answer) })
            else refusals.push(answer?.code)
          }
          const first = new Map(applied.toReversed().map(({ sequence, answer }) => [sequence, answer]))
          expect(applied.filter(({ sequence, answer }) => answer !== first.get(sequence))).toEqual([])
          expect(refusals.filter((code) => code !== 'STALE')).toEqual([])
          expect(counted(replica)).toBe(
            [...first.keys()].reduce((sum, sequence) => sum + 16 ** (sequence - 1), 0),
          )
        },
      ),
      { numRuns: 100 },
    )
  })

  test('E6: of a session that ended is refused, never applied a second time', () => {
    const replica = started()
    const entry = section(1, 0, incr(1))
    expect(codes(replica.append(commandsEntry(1_000, entry)))).toEqual(['counted'])
    expect(codes(replica.append(commandsEntry(1_000 + limits.sessionIdleMs - 1, entry)))).toEqual(['counted'])
    replica.checkpoint()
    replica.restart()
    // The retry above was a use.
    const end = 1_000 + 2 * limits.sessionIdleMs - 1
    replica.append({ type: 'noop', stamp: end - 1, payload: new Uint8Array(0) })
    expect(replica.state.stats.sessions).toBe(1)
    replica.append({ type: 'noop', stamp: end, payload: new Uint8Array(0) })
    expect(replica.state.stats.sessions).toBe(0)
    expect(codes(replica.append(commandsEntry(end, entry)))).toEqual(['SESSION_EXPIRED'])
    expect(counted(replica)).toBe(1)
    expect(replica.state.storedAnswerBytes).toBe(0)
  })

  test('E6: of a session that nobody opened is refused and creates none', () => {
    const replica = started()
    expect(codes(replica.append(commandsEntry(1_000, section(77, 0, incr(1), incr(2)))))).toEqual([
      'SESSION_EXPIRED',
      'SESSION_EXPIRED',
    ])
    expect(replica.state.stats.sessions).toBe(1)
  })

  test('that was refused may be tried again under its name', () => {
    const replica = started()
    const late = section(1, 0, set(1, Uint8Array.of(1), 999))
    expect(codes(replica.append(commandsEntry(1_000, late)))).toEqual(['LATE'])
    expect(codes(replica.append(commandsEntry(1_000, section(1, 0, incr(1_025)))))).toEqual([
      'SESSION_WINDOW',
    ])
    expect(codes(replica.append(commandsEntry(1_000, section(1, 1, incr(1_025)))))).toEqual(['counted'])
  })

  test('is refused as LATE by the stamp of its entry alone, not by a clock that is ahead of it', () => {
    const replica = started()
    replica.append({ type: 'noop', stamp: 9_000, payload: new Uint8Array(0) })
    expect(
      codes(replica.append(commandsEntry(5_000, section(1, 0, set(1, Uint8Array.of(1), 5_000))))),
    ).toEqual(['written'])
    expect(replica.state.clock).toBe(9_000)
  })

  test('that lost its condition keeps that answer, and one over 1 KiB is kept without the value', () => {
    for (const [length, omitted] of [
      [977, false],
      [978, true],
    ] as const) {
      const replica = started()
      const value = new Uint8Array(length).fill(5)
      const lost: Command = {
        op: 'del',
        sequence: 2,
        notAfter: never,
        key: list,
        condition: { type: 'ifVersion', version: 99 },
      }
      const first = replica.append(commandsEntry(1_000, section(1, 0, set(1, value), lost)))[0]?.[1]
      expect(first).toMatchObject({
        result: { type: 'lost', version: 2, valueOmitted: false, value: { bytes: value } },
      })
      replica.append(commandsEntry(1_000, section(1, 0, { ...lost, sequence: 3, condition: always })))
      replica.checkpoint()
      replica.restart()
      const again = replica.append(commandsEntry(1_000, section(1, 0, lost)))[0]?.[0]
      expect(again?.position).toEqual(first?.position)
      expect(again).toMatchObject({
        result: { type: 'lost', version: 2, valueOmitted: omitted, value: omitted ? null : { bytes: value } },
      })
    }
  })
})

describe('stored answers', () => {
  test('are counted until they are acknowledged, also by a jump of any size', () => {
    const replica = started()
    replica.append(commandsEntry(1_000, section(1, 0, incr(1), incr(2), incr(3))))
    const three = replica.state.storedAnswerBytes
    expect(three).toBeGreaterThan(3 * 16)
    replica.append(commandsEntry(1_000, section(1, 2, incr(3))))
    expect(replica.state.storedAnswerBytes).toBe(three / 3)
    replica.checkpoint()
    replica.restart()
    expect(replica.state.storedAnswerBytes).toBe(three / 3)
    replica.append(commandsEntry(1_000, section(1, Number.MAX_SAFE_INTEGER, incr(3))))
    expect(replica.state.storedAnswerBytes).toBe(0)
  })
})

describe('a session', () => {
  test('is refused at 100,000, and again allowed when one has been closed', () => {
    const replica = started()
    const per = 10_000
    for (let opened = 1; opened < limits.sessionsPerShard; opened += per) {
      const count = Math.min(per, limits.sessionsPerShard - opened)
      replica.append(commandsEntry(1_000, ...Array.from({ length: count }, () => open)))
    }
    expect(replica.state.stats.sessions).toBe(limits.sessionsPerShard)
    const before = replica.state.lastVersion
    expect(codes(replica.append(commandsEntry(1_000, open)))).toEqual(['SESSIONS_FULL'])
    expect(replica.state.lastVersion).toBe(before)
    const close: Section = { kind: 'closeSession', group: GROUP, session: { group: GROUP, version: 500 } }
    expect(codes(replica.append(commandsEntry(1_000, close, close, open)))).toEqual([
      'done',
      'SESSION_EXPIRED',
      'sessionOpened',
    ])
  })

  test('E6: ends by its own last use after a restart, whatever order its row had', () => {
    const replica = started()
    replica.append(commandsEntry(1_000, open))
    const [used, idle] = [1, 2]
    replica.append(commandsEntry(5_000, section(used, 0, incr(1))))
    replica.checkpoint()
    replica.restart()
    replica.append({ type: 'noop', stamp: 1_000 + limits.sessionIdleMs, payload: new Uint8Array(0) })
    expect(replica.state.stats.sessions).toBe(1)
    const stamp = 1_000 + limits.sessionIdleMs
    expect(codes(replica.append(commandsEntry(stamp, section(idle, 0, incr(1)))))).toEqual([
      'SESSION_EXPIRED',
    ])
    expect(codes(replica.append(commandsEntry(stamp, section(used, 0, incr(1)))))).toEqual(['counted'])
  })

  test('is not opened later than its client allowed', () => {
    const replica = started()
    expect(codes(replica.append(commandsEntry(1_000, { ...open, notAfter: 999 })))).toEqual(['LATE'])
  })
})
