// Every row of the outcome table: an attempt is applied, refused or open; an operation is the sum of its attempts.
import { type Answer, type ErrorCode, limits } from '@quorate/protocol'
import { describe, expect, test } from 'vitest'
import { positionOf } from './fake-cluster.ts'
import { type Scripted, createScripted, ending, open, refused } from './scripted.ts'

const refusedByApply = (scripted: Scripted, code: Extract<Answer, { type: 'refused' }>['code']): Answer[] => [
  { type: 'refused', code, position: positionOf(scripted.cluster, scripted.cluster.group(1)) },
]

describe('applied', () => {
  test('the first applied answer ends the operation, also after open and refused attempts', async () => {
    const scripted = await createScripted()
    scripted.say(open(), refused('OVERLOADED'), 'serve')
    expect(await scripted.cluster.time.until(ending(scripted.cache.incr('key')))).toEqual({ ok: 1 })
    expect(scripted.cluster.group(1).executed).toHaveLength(2)
    expect(scripted.events).toMatchObject([
      { op: 'incr', outcome: 'ok', attempts: 3, result: { type: 'counted' } },
    ])
  })

  test('an operation that was applied but whose reply was lost is answered from the session, not done again', async () => {
    const scripted = await createScripted()
    scripted.say('apply')
    expect(await scripted.cluster.time.until(ending(scripted.cache.incr('key')))).toEqual({ ok: 1 })
    expect(new Set(scripted.names()).size).toBe(1)
    // The command that warmed up, and this one.
    expect(scripted.cluster.group(1).executed).toHaveLength(2)
  })

  test('a late answer of an attempt that was given up counts, if the operation still waits', async () => {
    const scripted = await createScripted({ timeout: 3_000 })
    const { cluster, cache } = scripted
    scripted.say(
      (asked, node) => {
        // Answered after the attempt's third of the deadline, before the second attempt's.
        const group = cluster.group(1)
        if (asked.type !== 'write') return 'silent'
        const answers = cluster.apply(group, asked.section)
        const { requestId } = asked
        cluster.time.timers.after(1_500, () =>
          cluster.send(node, {
            type: 'replies',
            mapEpoch: 10,
            replies: [{ type: 'answers', requestId, leaderTime: cluster.logTime(), answers }],
          }),
        )
        return 'silent'
      },
      ...Array.from({ length: 20 }, () => 'silent' as const),
    )
    // The link is not silent: another operation is answered meanwhile.
    const done = ending(cache.incr('key'))
    await cluster.time.advance(500)
    const other = ending(cache.get('warm up'))
    const startedAt = cluster.time.now
    expect(await cluster.time.until(done)).toEqual({ ok: 1 })
    expect(cluster.time.now - startedAt).toBeLessThan(1_100)
    await cluster.time.until(other)
  })

  test('verdicts of executed commands are answers, not refusals', async () => {
    const scripted = await createScripted()
    await scripted.cluster.time.until(scripted.cache.set('text', 'x'))
    expect(await scripted.cluster.time.until(ending(scripted.cache.incr('text')))).toEqual({
      code: 'NOT_A_NUMBER',
      outcome: 'not-done',
    })
    expect(scripted.events.at(-1)).toMatchObject({ outcome: 'ok', result: { type: 'notANumber' } })
  })
})

describe('refused', () => {
  const retried: readonly ErrorCode[] = [
    'NOT_LEADER',
    'NO_LEADER',
    'OVERLOADED',
    'WRONG_SHARD',
    'MOVED',
    'REPLICA_STOPPED',
  ]
  test.each(retried)(
    '%s before the log is tried again, under the same name, until it is done',
    async (code) => {
      const scripted = await createScripted()
      scripted.say(refused(code), refused(code))
      expect(await scripted.cluster.time.until(ending(scripted.cache.set('key', 1)))).toEqual({
        ok: { version: expect.any(Number) },
      })
      // Whoever is no leader refuses honestly in between.
      expect(scripted.commands().length).toBeGreaterThanOrEqual(3)
      expect(new Set(scripted.names()).size).toBe(1)
    },
  )

  test.each(retried)('%s until the deadline is not done', async (code) => {
    const scripted = await createScripted({ timeout: 500 })
    scripted.cluster.script = () => refused(code)
    const end = await scripted.cluster.time.until(ending(scripted.cache.set('key', 1)))
    expect(end).toMatchObject({ outcome: 'not-done' })
    expect(end).toEqual({ code: code === 'NOT_LEADER' ? 'NO_LEADER' : code, outcome: 'not-done' })
  })

  test.each(['DISK_FULL', 'BAD_FRAME', 'UNKNOWN_COMMAND', 'VALUE_TOO_LARGE'] as const)(
    '%s is not tried again and not done',
    async (code) => {
      const scripted = await createScripted()
      scripted.say(refused(code))
      const startedAt = scripted.cluster.time.now
      expect(await scripted.cluster.time.until(ending(scripted.cache.set('key', 1)))).toEqual({
        code,
        outcome: 'not-done',
      })
      expect(scripted.cluster.time.now - startedAt).toBeLessThan(10)
      expect(scripted.commands()).toHaveLength(1)
    },
  )

  test.each(['MOVED', 'LATE'] as const)('%s by apply is tried again under the same name', async (code) => {
    const scripted = await createScripted()
    scripted.say(() => refusedByApply(scripted, code))
    expect(await scripted.cluster.time.until(ending(scripted.cache.incr('key')))).toEqual({ ok: 1 })
    expect(new Set(scripted.names()).size).toBe(1)
    expect(scripted.commands()).toHaveLength(2)
  })

  test.each(['SESSION_WINDOW', 'STALE'] as const)(
    '%s by apply is tried again under a new name',
    async (code) => {
      const scripted = await createScripted()
      scripted.say(() => refusedByApply(scripted, code))
      expect(await scripted.cluster.time.until(ending(scripted.cache.incr('key')))).toEqual({ ok: 1 })
      expect(new Set(scripted.names()).size).toBe(2)
    },
  )

  test('an unknown command is not tried again', async () => {
    const scripted = await createScripted()
    scripted.say(() => refusedByApply(scripted, 'UNKNOWN_COMMAND'))
    expect(await scripted.cluster.time.until(ending(scripted.cache.incr('key')))).toEqual({
      code: 'UNKNOWN_COMMAND',
      outcome: 'not-done',
    })
  })

  test('a connection refused before the frame left is not done', async () => {
    const scripted = await createScripted({ timeout: 1_000 })
    for (const node of scripted.cluster.nodes) scripted.cluster.hub.disconnect(node.name)
    await scripted.cluster.time.advance(10)
    expect(await scripted.cluster.time.until(ending(scripted.cache.set('key', 1)))).toEqual({
      code: 'CANNOT_CONNECT',
      outcome: 'not-done',
    })
    expect(scripted.events).toMatchObject([{ attempts: 0 }])
  })

  test('a dial that hangs until the deadline is not done', async () => {
    const scripted = await createScripted({ timeout: 1_000 })
    for (const node of scripted.cluster.nodes) scripted.cluster.hub.disconnect(node.name)
    await scripted.cluster.time.advance(10)
    scripted.cluster.hub.partition(() => true)
    const startedAt = scripted.cluster.time.now
    expect(await scripted.cluster.time.until(ending(scripted.cache.set('key', 1)))).toEqual({
      code: 'CANNOT_CONNECT',
      outcome: 'not-done',
    })
    expect(scripted.cluster.time.now - startedAt).toBeLessThanOrEqual(1_010)
  })
})

describe('open', () => {
  test('E3 leadership lost after the append is retried under the same name, so that it happens once', async () => {
    const scripted = await createScripted()
    // The old leader appended it, lost its leadership, and says so; the entry wins all the same.
    scripted.say((asked) => {
      if (asked.type === 'write') scripted.cluster.apply(scripted.cluster.group(1), asked.section)
      return open('LEADERSHIP_LOST')
    })
    expect(await scripted.cluster.time.until(ending(scripted.cache.incr('key')))).toEqual({ ok: 1 })
    expect(new Set(scripted.names()).size).toBe(1)
    expect(await scripted.cluster.time.until(scripted.cache.get('key'))).toBe(1)
  })

  test('E2 an operation that may still commit never ends as not-done, whatever refuses it afterwards', async () => {
    for (const code of [
      'OVERLOADED',
      'NOT_LEADER',
      'DISK_FULL',
      'WRONG_SHARD',
      'BAD_FRAME',
      'MOVED',
    ] as const) {
      const scripted = await createScripted({ timeout: 600 })
      const { cluster, cache } = scripted
      let attempts = 0
      cluster.script = () => {
        attempts += 1
        return attempts === 1 ? open('LEADERSHIP_LOST') : refused(code)
      }
      const end = await cluster.time.until(ending(cache.set('key', 1)))
      expect(end).toMatchObject({ outcome: 'unknown' })
    }
  })

  test('no answer until the deadline is unknown, and the deadline holds', async () => {
    const scripted = await createScripted({ timeout: 900 })
    scripted.cluster.script = () => 'silent'
    const startedAt = scripted.cluster.time.now
    expect(await scripted.cluster.time.until(ending(scripted.cache.set('key', 1)))).toEqual({
      code: 'TIMEOUT',
      outcome: 'unknown',
    })
    const took = scripted.cluster.time.now - startedAt
    expect(took).toBeGreaterThanOrEqual(900)
    expect(took).toBeLessThanOrEqual(904)
  })

  test('an attempt waits a third of the deadline, then the next begins at another node', async () => {
    const scripted = await createScripted({ timeout: 900 })
    scripted.cluster.script = () => 'silent'
    const startedAt = scripted.cluster.time.now
    await scripted.cluster.time.until(ending(scripted.cache.set('key', 1)))
    const attempts = scripted
      .commands()
      .map(({ at, node }) => ({ after: Math.round((at - startedAt) / 100) * 100, node }))
    expect(attempts.map(({ after }) => after)).toEqual([0, 300, 600])
    const [first, second, third] = attempts.map(({ node }) => node)
    expect([first === second, second === third]).toEqual([false, false])
    expect(new Set(scripted.names()).size).toBe(1)
  })

  test('a socket closed after the frame left makes the attempt open, and it is retried at once', async () => {
    const scripted = await createScripted()
    const startedAt = scripted.cluster.time.now
    scripted.say('applyAndCut')
    expect(await scripted.cluster.time.until(ending(scripted.cache.incr('key')))).toEqual({ ok: 1 })
    expect(scripted.cluster.time.now - startedAt).toBeLessThan(20)
    expect(new Set(scripted.names()).size).toBe(1)
  })

  test('a socket closed after the frame left, and nobody there any more, is unknown', async () => {
    const scripted = await createScripted({ timeout: 500 })
    scripted.say((_asked, node) => {
      for (const other of scripted.cluster.nodes)
        if (other !== node) scripted.cluster.hub.disconnect(other.name)
      scripted.cluster.time.timers.endOfTurn(() => scripted.cluster.hub.disconnect(node.name))
      return 'silent'
    })
    expect(await scripted.cluster.time.until(ending(scripted.cache.set('key', 1)))).toMatchObject({
      outcome: 'unknown',
    })
  })

  test('aborted before anything left is not done, afterwards unknown', async () => {
    const scripted = await createScripted()
    const { cluster, cache } = scripted
    const early = new AbortController()
    early.abort(new Error('never mind'))
    expect(await ending(cache.set('key', 1, { signal: early.signal }))).toEqual({
      code: 'ABORTED',
      outcome: 'not-done',
    })
    // Queued, but the turn has not ended: not a byte has left.
    const queued = new AbortController()
    const dropped = ending(cache.set('key', 1, { signal: queued.signal }))
    queued.abort()
    expect(await dropped).toEqual({ code: 'ABORTED', outcome: 'not-done' })
    await cluster.time.advance(50)
    expect(scripted.commands()).toHaveLength(0)
    scripted.say('silent')
    const sent = new AbortController()
    const underWay = ending(cache.set('key', 1, { signal: sent.signal }))
    await cluster.time.advance(50)
    sent.abort()
    expect(await underWay).toEqual({ code: 'ABORTED', outcome: 'unknown' })
  })

  test('closing the client ends what left as unknown and what did not as not done', async () => {
    const scripted = await createScripted()
    scripted.say('silent')
    const left = ending(scripted.cache.set('key', 1))
    await scripted.cluster.time.advance(50)
    const waiting = ending(scripted.cache.set('key', 2))
    const closed = scripted.cache.close()
    expect(await left).toEqual({ code: 'CLOSED', outcome: 'unknown' })
    expect(await waiting).toEqual({ code: 'CLOSED', outcome: 'not-done' })
    await scripted.cluster.time.until(closed)
  })

  test('a read that nobody answers is not done, since it has no effect', async () => {
    const scripted = await createScripted({ timeout: 300 })
    scripted.cluster.script = () => 'silent'
    expect(await scripted.cluster.time.until(ending(scripted.cache.get('key')))).toEqual({
      code: 'TIMEOUT',
      outcome: 'not-done',
    })
  })
})

describe('E9 every operation ends by its deadline', () => {
  test('E9 without a leader, without a session, without nodes, behind partitions', async () => {
    const scripted = await createScripted({ timeout: 400, shards: 4 })
    const { cluster, cache } = scripted
    const faults: (() => void)[] = [
      () => (cluster.script = () => refused('NO_LEADER')),
      () => (cluster.script = () => 'silent'),
      () => (cluster.script = () => 'cut'),
      () => (cluster.script = () => refused('SESSIONS_FULL')),
      () => cluster.hub.partition(() => true),
      () => {
        for (const node of cluster.nodes) cluster.hub.disconnect(node.name)
      },
    ]
    for (const fault of faults) {
      fault()
      const startedAt = cluster.time.now
      const all = Promise.all([
        ...Array.from({ length: 20 }, (_, index) => ending(cache.set(`key${index}`, index))),
        ...Array.from({ length: 20 }, (_, index) => ending(cache.get(`key${index}`))),
      ])
      const ends = await cluster.time.until(all)
      expect(ends.every((end) => 'outcome' in end)).toBe(true)
      expect(cluster.time.now - startedAt).toBeLessThanOrEqual(404)
    }
    expect(scripted.events).toHaveLength(faults.length * 40)
  })

  test('a timeout above 60 s or of nothing is refused', async () => {
    const { cache } = await createScripted()
    for (const timeout of [0, -1, Number.NaN, limits.operationTimeoutMsMax + 1]) {
      expect(await ending(cache.get('key', { timeout }))).toEqual({
        code: 'ARGUMENT_INVALID',
        outcome: 'not-done',
      })
    }
  })
})

describe('E5 replies never cross', () => {
  test('E5 unknown, repeated and late replies change nothing', async () => {
    const scripted = await createScripted({ timeout: 900 })
    const { cluster, cache } = scripted
    const replyTo = (requestId: number, integer: number) =>
      ({
        type: 'answers',
        requestId,
        leaderTime: cluster.logTime(),
        answers: [
          {
            type: 'applied',
            position: positionOf(cluster, cluster.group(1)),
            result: { type: 'counted', version: 1, integer },
          },
        ],
      }) as const
    scripted.say((asked, node) => {
      const replies = [
        replyTo(asked.requestId + 1, 111),
        replyTo(asked.requestId, 42),
        replyTo(asked.requestId, 222),
        replyTo(0, 333),
      ]
      cluster.send(node, { type: 'replies', mapEpoch: 10, replies })
      return 'silent'
    })
    expect(await cluster.time.until(cache.incr('key'))).toBe(42)
    expect(await cluster.time.until(cache.incr('other', 7))).toBe(7)
    expect(scripted.events).toHaveLength(2)
  })

  test('E5 a reply with another number of answers, or of another kind, proves nothing: the attempt stays open', async () => {
    for (const results of [[], [{ type: 'absent' }], [{ type: 'done' }, { type: 'done' }]] as const) {
      const scripted = await createScripted({ timeout: 600 })
      const { cluster } = scripted
      scripted.say(() =>
        results.map((result) => ({
          type: 'applied',
          position: positionOf(cluster, cluster.group(1)),
          result,
        })),
      )
      expect(await cluster.time.until(ending(scripted.cache.incr('key')))).toEqual({ ok: 1 })
      expect(new Set(scripted.names()).size).toBe(1)
      expect(scripted.events).toMatchObject([{ attempts: 2 }])
    }
  })
})
