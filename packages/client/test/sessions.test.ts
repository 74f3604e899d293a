// Names for life, the window, notAfter, and what follows a lost session.
import { limits } from '@quorate/protocol'
import { describe, expect, test } from 'vitest'
import { notAfterOf, tighterTime } from '../src/calls/not-after.ts'
import { OpenCall } from '../src/calls/open-call.ts'
import { Session, SessionPool } from '../src/calls/session-pool.ts'
import { positionOf } from './fake-cluster.ts'
import { createScripted, ending, open } from './scripted.ts'

const time = { leaderTime: 1_000, sentAt: 10, receivedAt: 14 }

describe('names', () => {
  test('a session gives each sequence once and none beyond its window', () => {
    const session = new Session({ group: 1, version: 7 }, time)
    const sequences = Array.from({ length: limits.sessionWindow }, () => session.take())
    expect(sequences).toEqual(Array.from({ length: limits.sessionWindow }, (_, index) => index + 1))
    expect(session.take()).toBeNull()
    // What is finished in the middle does not move the window; the first does, and takes its neighbours with it.
    session.finish(2)
    expect([session.ackedUpTo, session.take()]).toEqual([0, null])
    session.finish(1)
    expect(session.ackedUpTo).toBe(2)
    expect(session.take()).toBe(1025)
  })

  test('an expired session gives no names', () => {
    const pool = new SessionPool(1)
    const session = new Session({ group: 1, version: 7 }, time)
    pool.add(session)
    pool.expire(session)
    const call = new OpenCall(pool, { now: 0, timeoutMs: 1, ended: () => undefined })
    expect([session.take(), pool.name(call), call.session, pool.sessions.length]).toEqual([
      null,
      false,
      null,
      0,
    ])
  })

  test('ackedUpTo tells the shard what it may forget, and never covers what still waits', async () => {
    const scripted = await createScripted()
    const { cluster, cache } = scripted
    // Sequence 1 warmed up; 2 stays open while 3 and 4 are answered.
    scripted.say('silent')
    const stuck = ending(cache.set('stuck', 1, { timeout: 60_000 }))
    await cluster.time.advance(20)
    await cluster.time.until(cache.set('a', 1))
    await cluster.time.until(cache.set('b', 1))
    const acked = scripted.commands().map(({ request }) => {
      if (request.type !== 'write' || request.section.kind !== 'commands') return null
      return [request.section.commands.map(({ sequence }) => sequence), request.section.ackedUpTo]
    })
    expect(acked).toEqual([
      [[2], 1],
      [[3], 1],
      [[4], 1],
    ])
    await cluster.time.until(stuck)
    await cluster.time.until(cache.set('c', 1))
    const last = scripted.commands().at(-1)?.request
    expect(last).toMatchObject({ section: { ackedUpTo: 4, commands: [{ sequence: 5 }] } })
  })

  test('a full window opens a second session, so that one stuck command stops nobody else', async () => {
    const scripted = await createScripted()
    const { cluster, cache } = scripted
    scripted.say('silent')
    const stuck = ending(cache.set('stuck', 1, { timeout: 60_000 }))
    await cluster.time.advance(20)
    const writes = Array.from({ length: 3_000 }, (_, index) =>
      cache.set(`key${index}`, index, { timeout: 10_000 }),
    )
    const startedAt = cluster.time.now
    await cluster.time.until(Promise.all(writes))
    expect(cluster.time.now - startedAt).toBeLessThan(100)
    expect(cluster.group(1).sessions.size).toBeGreaterThan(1)
    expect(new Set(scripted.names()).size).toBe(scripted.names().length)
    for (const { request } of scripted.commands()) {
      if (request.type !== 'write' || request.section.kind !== 'commands') continue
      const { ackedUpTo, commands } = request.section
      expect(commands.every(({ sequence }) => sequence <= ackedUpTo + limits.sessionWindow)).toBe(true)
      expect(commands.every(({ sequence }) => sequence > ackedUpTo)).toBe(true)
    }
    await cluster.time.until(stuck)
  })

  test('one session is opened for many operations that come at once', async () => {
    const scripted = await createScripted({ shards: 3 })
    const { cluster, cache } = scripted
    await cluster.time.until(
      Promise.all(Array.from({ length: 50 }, (_, index) => cache.set(`key${index}`, index))),
    )
    expect([1, 2, 3].map((group) => cluster.group(group).sessions.size)).toEqual([1, 1, 1])
  })
})

describe('SESSION_EXPIRED', () => {
  test('E6 with no attempt open another session is opened silently', async () => {
    const scripted = await createScripted()
    const { cluster, cache } = scripted
    cluster.group(1).sessions.clear()
    expect(await cluster.time.until(ending(cache.incr('key')))).toEqual({ ok: 1 })
    expect(new Set(scripted.names()).size).toBe(2)
    expect(cluster.group(1).sessions.size).toBe(1)
  })

  test('E6 with an attempt open it is unknown, and never done twice', async () => {
    const scripted = await createScripted()
    const { cluster, cache } = scripted
    // Executed, the answer lost, and with it the session.
    scripted.say((asked) => {
      if (asked.type === 'write') cluster.apply(cluster.group(1), asked.section)
      cluster.group(1).sessions.clear()
      return open('LEADERSHIP_LOST')
    })
    expect(await cluster.time.until(ending(cache.incr('key')))).toEqual({
      code: 'SESSION_EXPIRED',
      outcome: 'unknown',
    })
    expect(await cluster.time.until(cache.get('key'))).toBe(1)
  })

  test('many operations of an expired session share the next one', async () => {
    const scripted = await createScripted()
    const { cluster, cache } = scripted
    cluster.group(1).sessions.clear()
    await cluster.time.until(Promise.all(Array.from({ length: 100 }, () => cache.incr('key'))))
    expect(await cluster.time.until(cache.get('key'))).toBe(100)
    expect(cluster.group(1).sessions.size).toBe(1)
  })

  test('SESSIONS_FULL is what the operations that need a session end with', async () => {
    const scripted = await createScripted({ timeout: 400, shards: 2 })
    const { cluster, cache } = scripted
    cluster.script = (asked) =>
      asked.type === 'write' && asked.section.kind === 'openSession'
        ? [{ type: 'refused', code: 'SESSIONS_FULL', position: positionOf(cluster, cluster.group(1)) }]
        : 'serve'
    // One of the two has a session from warming up.
    const ends = await cluster.time.until(
      Promise.all(['a', 'b', 'c', 'd'].map((key) => ending(cache.set(key, 1)))),
    )
    const failed = ends.filter((end) => 'outcome' in end)
    expect(failed.length).toBeGreaterThan(0)
    for (const end of failed) expect(end).toMatchObject({ outcome: 'not-done' })
  })
})

describe('notAfter', () => {
  test('counts from the reply that leaves least room for L, until another one refutes it', () => {
    const quick = { leaderTime: 1_000, sentAt: 10, receivedAt: 12 }
    const slow = { leaderTime: 5_000, sentAt: 20, receivedAt: 4_012 }
    expect(tighterTime(null, slow)).toBe(slow)
    expect([tighterTime(slow, quick), tighterTime(quick, slow)]).toEqual([quick, quick])
    // Equal bounds: the newer one, from which less time has passed.
    const newer = { leaderTime: 2_000, sentAt: 1_010, receivedAt: 1_012 }
    expect(tighterTime(quick, newer)).toBe(newer)
    // L was pulled up, or held back: what was known of it is void.
    const ahead = { leaderTime: 9_000, sentAt: 1_010, receivedAt: 4_000 }
    const behind = { leaderTime: 1_500, sentAt: 1_010, receivedAt: 1_012 }
    expect([tighterTime(quick, ahead), tighterTime(quick, behind)]).toEqual([ahead, behind])
  })

  test('is L of the last reply, plus own time since that request left, plus the remaining deadline', () => {
    // The request left at 10, L 1,000 came back at 14, it is 30 now and the deadline is at 130.
    expect(notAfterOf(time, 30, 130)).toBe(1_000 + 20 + 100)
  })

  test('is at most 60 s ahead of what the log clock certainly has reached', () => {
    expect(notAfterOf(time, 30, 30 + 60_000)).toBe(1_000 + 16 + 60_000)
  })

  test('is a whole number and not after the deadline when that has passed', () => {
    expect(notAfterOf({ leaderTime: 5, sentAt: 0.25, receivedAt: 0.5 }, 1.5, 1.75)).toBe(7)
    expect(notAfterOf(time, 30, 20)).toBe(1_010)
  })

  test('a retry’s notAfter never lies beyond the operation’s own deadline and its round trip', async () => {
    const scripted = await createScripted({ latencyMs: 5 })
    const { cluster, cache } = scripted
    scripted.say('silent', 'silent')
    const startedAt = cluster.logTime()
    await cluster.time.until(ending(cache.set('key', 1, { timeout: 3_000 })))
    const commands = scripted
      .commands()
      .flatMap(({ request }) =>
        request.type === 'write' && request.section.kind === 'commands' ? request.section.commands : [],
      )
    expect(commands.length).toBeGreaterThan(1)
    for (const { notAfter } of commands) {
      expect(notAfter).toBeGreaterThanOrEqual(startedAt + 3_000)
      expect(notAfter).toBeLessThanOrEqual(startedAt + 3_000 + 12)
    }
  })

  test('with it an unknown is final: what is delivered after the deadline is refused as LATE', async () => {
    const scripted = await createScripted()
    const { cluster, cache } = scripted
    const late: (() => unknown)[] = []
    cluster.script = (asked) => {
      if (asked.type === 'write') late.push(() => cluster.apply(cluster.group(1), asked.section))
      return 'silent'
    }
    expect(await cluster.time.until(ending(cache.set('key', 1, { timeout: 300 })))).toEqual({
      code: 'TIMEOUT',
      outcome: 'unknown',
    })
    await cluster.time.advance(20)
    expect(late.map((deliver) => deliver())).toEqual(
      late.map(() => [expect.objectContaining({ type: 'refused', code: 'LATE' })]),
    )
  })
})
