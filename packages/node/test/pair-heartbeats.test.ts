import { describe, expect, it } from 'vitest'
import { type Led, PairHeartbeats } from '../src/peers/pair-heartbeats.ts'

const about = { answers: 0, answersBoot: 0, syncedLog: 0, wallMs: 0 }
const led = (group: number, term = 1, commitIndex = 5): Led => ({
  group,
  term,
  leader: 10,
  receiver: 20,
  commitIndex,
  capped: false,
})
const answerTo = (heartbeat: { sequence: number; setNumber: number }, exceptions: number[] = []) => ({
  type: 'heartbeatAnswer' as const,
  boot: 1,
  setNumber: heartbeat.setNumber,
  sequence: heartbeat.sequence,
  wallMs: 0,
  lowOnSpace: false,
  exceptions,
})

describe('pair heartbeats', () => {
  it('name the led set by number once the receiver has answered it, and send it in full until then', () => {
    const pairs = new PairHeartbeats()
    const first = pairs.make('p', [led(1)], 1, 0, about)
    const second = pairs.make('p', [led(1)], 2, 50, about)
    expect(first.ledSet).toHaveLength(1)
    expect(second.ledSet).toHaveLength(1)
    pairs.answered('p', answerTo(second))
    expect(pairs.make('p', [led(1)], 3, 100, about).ledSet).toBeNull()
    expect(pairs.make('p', [led(1, 2)], 4, 150, about).ledSet).toHaveLength(1)
  })

  it('confirm the groups of the set that was sent, less the exceptions, and each heartbeat only once', () => {
    const pairs = new PairHeartbeats()
    const heartbeat = pairs.make('p', [led(1), led(2)], 9, 77, about)
    const confirmation = pairs.answered('p', answerTo(heartbeat, [2]))
    expect(confirmation).toMatchObject({ round: 9, sentAt: 77, groups: [{ group: 1, term: 1 }] })
    expect(pairs.answered('p', answerTo(heartbeat))).toBeNull()
  })

  it('an answer about another set, an unknown sequence or an unknown peer confirms nothing', () => {
    const pairs = new PairHeartbeats()
    const heartbeat = pairs.make('p', [led(1)], 1, 0, about)
    expect(pairs.answered('p', { ...answerTo(heartbeat), setNumber: 99 })).toBeNull()
    expect(pairs.answered('p', { ...answerTo(heartbeat), sequence: 99 })).toBeNull()
    expect(pairs.answered('q', answerTo(heartbeat))).toBeNull()
  })

  it('A6: a late answer to an older heartbeat after a newer one was answered confirms nothing', () => {
    const pairs = new PairHeartbeats()
    const older = pairs.make('p', [led(1)], 1, 0, about)
    const newer = pairs.make('p', [led(1)], 2, 50, about)
    expect(pairs.answered('p', answerTo(newer))).not.toBeNull()
    expect(pairs.answered('p', answerTo(older))).toBeNull()
  })

  it('B15: repeat a commit index until it is answered, and all of them after a reconnect', () => {
    const pairs = new PairHeartbeats()
    expect(pairs.make('p', [led(1)], 1, 0, about).commits).toHaveLength(1)
    const second = pairs.make('p', [led(1)], 2, 50, about)
    expect(second.commits).toHaveLength(1)
    pairs.answered('p', answerTo(second))
    expect(pairs.make('p', [led(1)], 3, 100, about).commits).toHaveLength(0)
    expect(pairs.make('p', [led(1, 1, 6)], 4, 150, about).commits).toEqual([
      { group: 1, commitIndex: 6, capped: false },
    ])
    pairs.reconnected('p')
    const after = pairs.make('p', [led(1, 1, 6)], 5, 200, about)
    expect(after.commits).toHaveLength(1)
    expect(after.ledSet).toHaveLength(1)
    expect(after.sequence).toBe(5)
  })
})
