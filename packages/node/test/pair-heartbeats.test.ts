import { describe, expect, it } from 'vitest'
import { type Led, PairHeartbeats } from '../src/peers/pair-heartbeats.ts'
import type { Missed } from '../src/peers/quiet-replica.ts'

const about = { answers: 0, answersBoot: 0, syncedLog: 0, wallMs: 0, confirmedAge: 0 }
const led = (group: number, term = 1, commitIndex = 5, capped = false): Led => ({
  peer: 'p',
  group,
  term,
  leader: 10 + group,
  receiver: 20 + group,
  commitIndex,
  capped,
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

/** Heartbeats of one node to `p`, and what its leaders are stepped with. */
class Sender {
  now = 0
  round = 0
  readonly stepped: (Missed & { readonly group: number })[] = []
  readonly attended: number[] = []
  readonly pairs = new PairHeartbeats({
    now: () => this.now,
    catchUp: (group) => this.catchUp(group),
    attend: (group) => void this.attended.push(group),
  })

  catchUp(group: number): void {
    for (const missed of this.pairs.missed(group)) this.stepped.push({ ...missed, group })
  }

  beat(): ReturnType<PairHeartbeats['make']> {
    this.now += 50
    return this.pairs.make('p', (this.round += 1), about)
  }

  /** Rounds that the group's leader was stepped with. */
  rounds(group: number): unknown[] {
    return this.stepped
      .filter((one) => one.group === group)
      .map(({ input }) => input.type === 'confirmed' && input.round)
  }
}

describe('pair heartbeats', () => {
  it('B15: send the led set again to a receiver that has forgotten it, though it had answered it', () => {
    const sender = new Sender()
    sender.pairs.lead(1, [led(1)])
    sender.pairs.answered('p', answerTo(sender.beat()))
    const named = sender.beat()
    expect(named.ledSet).toBe(null)
    expect(sender.pairs.answered('p', { ...answerTo(named), setNumber: 0 })).toBe(false)
    const again = sender.beat()
    expect(again.ledSet).toHaveLength(1)
    expect(again.commits).toMatchObject([{ group: 1, commitIndex: 5 }])
  })

  it('name the led set by number once the receiver has answered it, and send it in full until then', () => {
    const sender = new Sender()
    sender.pairs.lead(1, [led(1)])
    const first = sender.beat()
    const second = sender.beat()
    expect(first.ledSet).toHaveLength(1)
    expect(second.ledSet).toHaveLength(1)
    sender.pairs.answered('p', answerTo(second))
    expect(sender.beat().ledSet).toBeNull()
    sender.pairs.lead(1, [led(1, 2)])
    const changed = sender.beat()
    expect(changed.ledSet).toHaveLength(1)
    expect(changed.setNumber).toBe(second.setNumber + 1)
  })

  it('confirm the groups of the set that was sent, less the exceptions, and each heartbeat only once', () => {
    const sender = new Sender()
    sender.pairs.lead(1, [led(1)])
    sender.pairs.lead(2, [led(2)])
    const heartbeat = sender.beat()
    sender.now = 77
    expect(sender.pairs.answered('p', answerTo(heartbeat, [2]))).toBe(true)
    expect(sender.stepped).toEqual([
      { group: 1, at: 77, input: { type: 'confirmed', from: 21, term: 1, round: 1, sentAt: 50 } },
    ])
    expect(sender.pairs.answered('p', answerTo(heartbeat))).toBe(false)
    expect(sender.stepped).toHaveLength(1)
  })

  it('an answer about another set, an unknown sequence or an unknown peer confirms nothing', () => {
    const sender = new Sender()
    sender.pairs.lead(1, [led(1)])
    const heartbeat = sender.beat()
    expect(sender.pairs.answered('p', { ...answerTo(heartbeat), setNumber: 99 })).toBe(false)
    expect(sender.pairs.answered('p', { ...answerTo(heartbeat), sequence: 99 })).toBe(false)
    expect(sender.pairs.answered('q', answerTo(heartbeat))).toBe(false)
    expect(sender.stepped).toEqual([])
  })

  it('A6: a late answer to an older heartbeat after a newer one was answered confirms nothing', () => {
    const sender = new Sender()
    sender.pairs.lead(1, [led(1)])
    const older = sender.beat()
    const newer = sender.beat()
    expect(sender.pairs.answered('p', answerTo(newer))).toBe(true)
    expect(sender.pairs.answered('p', answerTo(older))).toBe(false)
  })

  it('an answer to a heartbeat that left before the group was led confirms it not', () => {
    const sender = new Sender()
    sender.pairs.lead(1, [led(1)])
    sender.pairs.answered('p', answerTo(sender.beat()))
    const before = sender.beat()
    // Nothing leaves in between, so that the set has the same number when the answer comes.
    sender.pairs.lead(2, [led(2)])
    sender.pairs.answered('p', answerTo(before))
    expect(sender.rounds(2)).toEqual([])
    expect(sender.pairs.hushed(2, 1)).toBe(false)
  })

  it('step a leader with the first confirmation, and with the newest one when it is next stepped', () => {
    const sender = new Sender()
    sender.pairs.lead(1, [led(1)])
    for (let beats = 0; beats < 5; beats += 1) sender.pairs.answered('p', answerTo(sender.beat()))
    expect(sender.rounds(1)).toEqual([1])
    expect(sender.pairs.hushed(1, 1)).toBe(true)
    sender.catchUp(1)
    sender.catchUp(1)
    expect(sender.rounds(1)).toEqual([1, 5])
  })

  it('step a leader with the last confirmation before an exception, and with the first one after it', () => {
    const sender = new Sender()
    sender.pairs.lead(1, [led(1)])
    for (let beats = 0; beats < 3; beats += 1) sender.pairs.answered('p', answerTo(sender.beat()))
    for (let beats = 0; beats < 2; beats += 1) sender.pairs.answered('p', answerTo(sender.beat(), [1]))
    expect(sender.rounds(1)).toEqual([1, 3])
    expect(sender.attended).toEqual([1])
    expect(sender.pairs.hushed(1, 1)).toBe(false)
    sender.pairs.answered('p', answerTo(sender.beat()))
    expect(sender.rounds(1)).toEqual([1, 3, 6])
  })

  it('step a leader with the last confirmation when the peer has been silent as long as CheckQuorum allows', () => {
    const sender = new Sender()
    sender.pairs.lead(1, [led(1)])
    for (let beats = 0; beats < 3; beats += 1) sender.pairs.answered('p', answerTo(sender.beat()))
    sender.now += 599
    sender.pairs.noticeSilence()
    expect(sender.pairs.hushed(1, 1)).toBe(true)
    sender.now += 1
    sender.pairs.noticeSilence()
    expect(sender.rounds(1)).toEqual([1, 3])
    expect([sender.pairs.hushed(1, 1), sender.attended]).toEqual([false, [1]])
  })

  it('B15: repeat a commit index until it is answered, and all of them after a reconnect', () => {
    const sender = new Sender()
    sender.pairs.lead(1, [led(1)])
    expect(sender.beat().commits).toHaveLength(1)
    const second = sender.beat()
    expect(second.commits).toHaveLength(1)
    sender.pairs.answered('p', answerTo(second))
    expect(sender.beat().commits).toHaveLength(0)
    sender.pairs.lead(1, [led(1, 1, 6)])
    expect(sender.beat().commits).toEqual([{ group: 1, commitIndex: 6, capped: false }])
    sender.pairs.reconnected('p')
    const after = sender.beat()
    expect(after.commits).toHaveLength(1)
    expect(after.ledSet).toHaveLength(1)
    expect(after.sequence).toBe(5)
  })

  it('tell a commit index again that was told, superseded unanswered, and is the old one again', () => {
    const sender = new Sender()
    sender.pairs.lead(1, [led(1, 1, 5, true)])
    sender.pairs.answered('p', answerTo(sender.beat()))
    sender.pairs.lead(1, [led(1, 1, 5, false)])
    sender.beat()
    sender.pairs.lead(1, [led(1, 1, 5, true)])
    expect(sender.beat().commits).toEqual([{ group: 1, commitIndex: 5, capped: true }])
  })
})
