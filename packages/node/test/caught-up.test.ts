// When a replica that was started may show what it has: after it has applied all that its leader once called committed.
import type { PairHeartbeat } from '@quorate/protocol'
import { describe, expect, it } from 'vitest'
import { HeartbeatReceiver } from '../src/peers/heartbeat-receiver.ts'
import type { QuietReplica } from '../src/peers/quiet-replica.ts'

const LEADER = 11
const SELF = 21
const TERM = 4

/** A receiver with one replica, which follows the leader of its own term. */
function receiving(term = TERM): {
  readonly receiver: HeartbeatReceiver
  readonly beat: (commit: number, capped: boolean) => void
} {
  const raft = { role: 'follower', leader: LEADER, currentTerm: TERM, durableTerm: TERM, commitIndex: 100 }
  const replica = { group: 1, incarnation: SELF, condition: 'live', installing: false, raft }
  const whole = { ...replica, step: () => {}, catchUp: () => {} } as unknown as QuietReplica
  const receiver = new HeartbeatReceiver({
    replicaOf: () => whole,
    now: () => 0,
    sentAt: () => 0,
    hosts: () => true,
    attend: () => {},
  })
  const about = { answers: 0, answersBoot: 0, syncedLog: 0, wallMs: 0, confirmedAge: 0 }
  const ledSet = [{ group: 1, term, leader: LEADER, receiver: SELF }]
  let sequence = 0
  return {
    receiver,
    beat: (commitIndex, capped) => {
      sequence += 1
      const commits = [{ group: 1, commitIndex, capped }]
      const heartbeat: PairHeartbeat = {
        type: 'heartbeat',
        setNumber: 1,
        sequence,
        ledSet,
        commits,
        ...about,
      }
      receiver.receive('p', 1, heartbeat, { wallMs: 0, lowOnSpace: false })
    },
  }
}

describe('a replica', () => {
  it('has caught up once it has applied the first commit index that its leader gave it whole', () => {
    const world = receiving()
    expect(world.receiver.hasCaughtUp(SELF, 1_000)).toBe(false)
    world.beat(50, false)
    expect(world.receiver.hasCaughtUp(SELF, 49)).toBe(false)
    expect(world.receiver.hasCaughtUp(SELF, 50)).toBe(true)
    world.beat(90, false)
    expect(world.receiver.hasCaughtUp(SELF, 50)).toBe(true)
    expect(world.receiver.hasCaughtUp(SELF + 1, 1_000)).toBe(false)
  })

  it('D9: has not caught up with what is capped by what it is known to hold: that may be less than it showed', () => {
    const world = receiving()
    world.beat(50, true)
    expect(world.receiver.hasCaughtUp(SELF, 50)).toBe(false)
    world.beat(60, true)
    expect(world.receiver.hasCaughtUp(SELF, 1_000)).toBe(false)
    world.beat(60, false)
    expect(world.receiver.hasCaughtUp(SELF, 60)).toBe(true)
  })

  it('D9: takes no word of a leader whose term is not its own: that may have missed what it showed', () => {
    const world = receiving(TERM - 1)
    world.beat(50, false)
    world.beat(51, false)
    expect(world.receiver.hasCaughtUp(SELF, 1_000)).toBe(false)
  })
})
