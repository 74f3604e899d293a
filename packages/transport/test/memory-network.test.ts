import { type Connection, type ConnectionHandlers, type Timers, createSeededRandom } from '@quorate/runtime'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { networkConformance } from '../src/conformance.ts'
import { type MemoryHub, createMemoryNetwork } from '../src/index.ts'

const realTimers: Timers = {
  after: (delayMs, callback) => {
    const handle = setTimeout(callback, delayMs)
    return { cancel: () => clearTimeout(handle) }
  },
  endOfTurn: (callback) => void setImmediate(callback),
}

networkConformance('the memory network', async () => {
  const hub = createMemoryNetwork({ timers: realTimers, random: createSeededRandom(1) })
  return {
    dialler: hub.networkFor('client'),
    acceptor: hub.networkFor('server'),
    freeAddress: 'server:0',
    deadAddress: 'server:1',
    turn: () => new Promise((resolve) => setTimeout(resolve, 1)),
    dispose: async () => {
      hub.disconnect('client')
      hub.disconnect('server')
    },
  }
})

/** Timers that fire when told to. */
function manualTimers(): Timers & { run(untilMs?: number): void; readonly now: () => number } {
  let now = 0
  let order = 0
  let events: { at: number; order: number; callback: () => void }[] = []
  const after: Timers['after'] = (delayMs, callback) => {
    order += 1
    const event = { at: now + delayMs, order, callback }
    events.push(event)
    return { cancel: () => void (events = events.filter((other) => other !== event)) }
  }
  return {
    after,
    endOfTurn: (callback) => void after(0, callback),
    now: () => now,
    run: (untilMs = 1_000_000) => {
      for (;;) {
        const [event] = events.toSorted((one, other) => one.at - other.at || one.order - other.order)
        if (event === undefined || event.at > untilMs) return
        events = events.filter((other) => other !== event)
        now = event.at
        event.callback()
      }
    },
  }
}

interface Heard {
  readonly log: string[]
  readonly connection: () => Connection
}

const noting = (log: string[], name: string, now: () => number): ConnectionHandlers => ({
  opened: () => log.push(`${now()} ${name} opened`),
  frame: (bytes) => log.push(`${now()} ${name} got ${bytes[0] ?? 'nothing'}`),
  closed: (reason) => log.push(`${now()} ${name} closed ${reason.split(':')[0] ?? ''}`),
})

async function pair(options: { latencyMs?: number; seed?: number } = {}): Promise<{
  hub: MemoryHub
  timers: ReturnType<typeof manualTimers>
  near: Connection
  far: Heard
  log: string[]
}> {
  const timers = manualTimers()
  const hub = createMemoryNetwork({
    timers,
    random: createSeededRandom(options.seed ?? 1),
    latencyMs: options.latencyMs ?? 2,
  })
  const log: string[] = []
  let accepted: Connection | null = null
  await hub.networkFor('b').listen('b:1', (connection) => {
    accepted = connection
    return noting(log, 'b', timers.now)
  })
  const near = hub.networkFor('a').dial('b:1', noting(log, 'a', timers.now))
  timers.run()
  const far: Heard = {
    log,
    connection: () => {
      if (accepted === null) throw new Error('not accepted')
      return accepted
    },
  }
  log.length = 0
  return { hub, timers, near, far, log }
}

describe('the memory network on demand', () => {
  test('delays a stream without reordering it', async () => {
    const { hub, timers, near, log } = await pair()
    hub.setFault((_from, _to, frame) => [frame[0] === 1 ? 50 : 1])
    for (const byte of [1, 2, 3]) near.send(Uint8Array.of(byte))
    timers.run()
    expect(log).toEqual(['52 b got 1', '52 b got 2', '52 b got 3'])
  })

  test('breaks a stream whose frame is lost', async () => {
    const { hub, timers, near, log } = await pair()
    hub.setFault(() => [])
    near.send(Uint8Array.of(1))
    expect(log).toEqual([])
    timers.run()
    expect(log).toEqual(['4 a closed ECONNRESET', '4 b closed ECONNRESET'])
  })

  test('loses, repeats and reorders frames on lossy links', async () => {
    const { hub, timers, near, log } = await pair()
    const delays = new Map([
      [1, [30, 5]],
      [2, []],
      [3, [1]],
    ])
    hub.setFault(
      (_from, _to, frame) => delays.get(frame[0] ?? 0) ?? [],
      () => true,
    )
    for (const byte of [1, 2, 3]) near.send(Uint8Array.of(byte))
    timers.run()
    expect(log).toEqual(['3 b got 3', '7 b got 1', '32 b got 1'])
  })

  test('holds a stream back during a partition and goes on when it heals', async () => {
    const { hub, timers, near, far, log } = await pair()
    hub.partition((from, to) => from === 'a' && to === 'b')
    near.send(Uint8Array.of(1))
    far.connection().send(Uint8Array.of(2))
    timers.run()
    expect(log).toEqual(['4 a got 2'])
    expect(near.bufferedBytes).toBe(1)
    hub.partition(null)
    timers.run()
    expect(log).toEqual(['4 a got 2', '4 b got 1'])
    expect(near.bufferedBytes).toBe(0)
  })

  test('swallows one direction of one connection and spares the others between the same hosts', async () => {
    const timers = manualTimers()
    const hub = createMemoryNetwork({ timers, random: createSeededRandom(1), latencyMs: 2 })
    const log: string[] = []
    await hub.networkFor('b').listen('b:1', (connection) => ({
      frame: (bytes) => {
        log.push(`b got ${bytes[0] ?? ''}`)
        connection.send(Uint8Array.of(100 + (bytes[0] ?? 0)))
      },
      closed: () => log.push('b closed'),
    }))
    const dial = (): Connection =>
      hub.networkFor('a').dial(
        'b:1',
        noting(log, 'a', () => 0),
      )
    const [one, other] = [dial(), dial()]
    one.send(Uint8Array.of(1))
    other.send(Uint8Array.of(2))
    timers.run()
    log.length = 0
    hub.blackHole(({ dialler, acceptor, opening }, from) => {
      expect([dialler, acceptor]).toEqual(['a', 'b'])
      return opening?.[0] === 1 && from === 'b'
    })
    for (const connection of [one, other]) connection.send(Uint8Array.of(3))
    timers.run()
    expect(log).toEqual(['b got 3', 'b got 3', '0 a got 103'])
    hub.blackHole(null)
    timers.run()
    expect(log).toEqual(['b got 3', 'b got 3', '0 a got 103', '0 a got 103'])
    // What is closed in a hole is heard of when it heals.
    log.length = 0
    hub.blackHole(({ opening }, from) => opening?.[0] === 1 && from === 'a')
    one.send(Uint8Array.of(4))
    one.close()
    timers.run()
    expect(log).toEqual(['0 a closed closed by this side'])
    hub.blackHole(null)
    timers.run()
    expect(log).toEqual(['0 a closed closed by this side', 'b got 4', 'b closed'])
  })

  test('lets a dial into a partition hang until its timeout, and opens it if the partition heals before', async () => {
    const timers = manualTimers()
    const hub = createMemoryNetwork({ timers, random: createSeededRandom(1), dialTimeoutMs: 100 })
    const log: string[] = []
    await hub.networkFor('b').listen('b:1', () => noting(log, 'b', timers.now))
    hub.partition(() => true)
    hub.networkFor('a').dial('b:1', noting(log, 'first', timers.now))
    timers.run(99)
    expect(log).toEqual([])
    timers.run(200)
    expect(log).toEqual(['100 first closed ETIMEDOUT'])
    hub.networkFor('a').dial('b:1', noting(log, 'second', timers.now))
    timers.run(150)
    hub.partition(null)
    timers.run()
    expect(log.at(-1)).toMatch(/second opened/)
  })

  test('a crash silences the dead process, closes the other sides and frees its addresses', async () => {
    for (const seed of [1, 2, 3, 4]) {
      const { hub, timers, near, far, log } = await pair({ seed })
      far.connection().send(Uint8Array.of(1))
      near.send(Uint8Array.of(2))
      hub.disconnect('b')
      timers.run()
      const heard = log.map((line) => line.slice(line.indexOf(' ') + 1))
      // What had left may still arrive; nothing reaches the dead.
      expect([['a closed ECONNRESET'], ['a got 1', 'a closed ECONNRESET']]).toContainEqual(heard)
      const reborn: string[] = []
      await hub.networkFor('b').listen('b:1', () => noting(reborn, 'b', timers.now))
      hub.networkFor('a').dial('b:1', noting(reborn, 'a', timers.now))
      timers.run()
      expect(reborn).toHaveLength(1)
    }
  })

  test('a dead process’s network calls nobody', async () => {
    const timers = manualTimers()
    const hub = createMemoryNetwork({ timers, random: createSeededRandom(1) })
    const dead = hub.networkFor('a')
    hub.disconnect('a')
    const log: string[] = []
    dead.dial('b:1', noting(log, 'a', timers.now)).send(Uint8Array.of(1))
    let answered = false
    void dead.listen('a:1', () => noting(log, 'a', timers.now)).then(() => (answered = true))
    timers.run()
    await new Promise<void>((resolve) => setImmediate(resolve))
    expect([log, answered]).toEqual([[], false])
  })

  test('cut breaks the connections between two hosts for both sides', async () => {
    const { hub, timers, log } = await pair()
    hub.cut((from, to) => from === 'a' && to === 'c')
    timers.run()
    expect(log).toEqual([])
    hub.cut((from, to) => from === 'b' && to === 'a')
    timers.run()
    expect(log).toEqual(['4 a closed ECONNRESET', '4 b closed ECONNRESET'])
  })

  test('overwrites a frame once its receiver returned', async () => {
    const timers = manualTimers()
    const hub = createMemoryNetwork({ timers, random: createSeededRandom(1) })
    const kept: Uint8Array[] = []
    await hub
      .networkFor('b')
      .listen('b:1', () => ({ frame: (bytes) => kept.push(bytes), closed: () => undefined }))
    const sent = Uint8Array.of(1, 2)
    hub
      .networkFor('a')
      .dial('b:1', noting([], 'a', timers.now))
      .send(sent)
    timers.run()
    expect([...(kept[0] ?? [])]).toEqual([0xdb, 0xdb])
    expect([...sent]).toEqual([1, 2])
  })

  test('runs alike twice under the same faults', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer(),
        fc.array(
          fc.tuple(
            fc.boolean(),
            fc.integer({ min: 0, max: 255 }),
            fc.constantFrom('send', 'cut', 'partition', 'heal'),
          ),
          { maxLength: 30 },
        ),
        async (seed, steps) => {
          const run = async (): Promise<string[]> => {
            const { hub, timers, near, far, log } = await pair({ seed })
            const random = createSeededRandom(seed)
            hub.setFault(() => [random.next() * 10])
            for (const [fromNear, byte, action] of steps) {
              if (action === 'send') (fromNear ? near : far.connection()).send(Uint8Array.of(byte))
              if (action === 'cut' && byte < 20) hub.cut(() => true)
              if (action === 'partition') hub.partition((from) => (from === 'a') === fromNear)
              if (action === 'heal') hub.partition(null)
              timers.run(timers.now() + byte / 20)
            }
            timers.run()
            return log
          }
          expect(await run()).toEqual(await run())
        },
      ),
      { numRuns: 50 },
    )
  })
})
