import { describe, expect, it } from 'vitest'
import { SeededRandom } from '../src/simulation/seeded-random.ts'
import { SimulatedProcess } from '../src/simulation/simulated-process.ts'
import { Trace } from '../src/simulation/trace.ts'
import { VirtualTime } from '../src/simulation/virtual-time.ts'
import { World } from '../src/simulation/world.ts'
import { createProcessNetwork } from '../src/simulation/process-network.ts'

function start() {
  const trace = new Trace()
  const time = new VirtualTime(trace)
  return { trace, time, process: new SimulatedProcess('n1', time) }
}

describe('virtual time', () => {
  it('runs events in the order of time, then of their making', async () => {
    const { time, process } = start()
    const seen: string[] = []
    process.timers.after(20, () => seen.push('c'))
    process.timers.after(10, () => seen.push('a'))
    process.timers.after(10, () => seen.push('b'))
    await time.run(100)
    expect(seen).toEqual(['a', 'b', 'c'])
    expect(time.nowMs).toBe(100)
  })

  it('runs every promise callback of an event before the next event of the same instant', async () => {
    const { time, process } = start()
    const seen: string[] = []
    process.timers.after(1, () => {
      void (async () => {
        for (let round = 0; round < 100; round++) await Promise.resolve()
        seen.push('promises')
      })()
    })
    process.timers.after(1, () => seen.push('next'))
    await time.run(10)
    expect(seen).toEqual(['promises', 'next'])
  })

  it('runs the end of a turn at the same instant, behind what was ready', async () => {
    const { time, process } = start()
    const seen: string[] = []
    process.timers.after(5, () => {
      process.timers.endOfTurn(() => seen.push(`turn ${process.clock.monotonicMs()}`))
      seen.push('first')
    })
    process.timers.after(5, () => seen.push('second'))
    await time.run(10)
    expect(seen).toEqual(['first', 'second', 'turn 5'])
  })

  it('fires no timer that was cancelled, and none of a process that was killed', async () => {
    const { time, process } = start()
    const seen: string[] = []
    process.timers.after(5, () => seen.push('cancelled')).cancel()
    process.timers.after(5, () => seen.push('killed'))
    process.kill()
    await time.run(10)
    expect(seen).toEqual([])
  })

  it('holds the events of a paused process until it goes on', async () => {
    const { time, process } = start()
    const seen: number[] = []
    process.timers.after(5, () => seen.push(time.nowMs))
    process.timers.after(6, () => seen.push(time.nowMs))
    process.pause()
    await time.run(50)
    expect(seen).toEqual([])
    process.resume()
    await time.run(60)
    expect(seen).toEqual([50, 50])
  })

  it('lets a clock run faster and never back', async () => {
    const { time, process } = start()
    await time.run(100)
    process.skew({ rate: 2, wallOffsetMs: -5_000 })
    await time.run(200)
    expect(process.clock.monotonicMs()).toBe(300)
    process.skew({ rate: 0.5, wallOffsetMs: 0 })
    await time.run(300)
    expect(process.clock.monotonicMs()).toBe(350)
  })

  it('rejects with what an event throws', async () => {
    const { time, process } = start()
    process.timers.after(1, () => {
      throw new Error('broken')
    })
    await expect(time.run(10)).rejects.toThrow('broken')
  })

  it('refuses a world in which time stands still', async () => {
    const { time, process } = start()
    const again = (): void => process.timers.endOfTurn(again)
    again()
    await expect(time.run(10)).rejects.toThrow('time stands still')
  }, 30_000)
})

describe('the trace', () => {
  const hashOf = async (delayMs: number) => {
    const { trace, time, process } = start()
    process.timers.after(delayMs, () => {})
    await time.run(100)
    return trace.digest()
  }
  it('is the same for the same events and another for others', async () => {
    expect(await hashOf(3)).toBe(await hashOf(3))
    expect(await hashOf(3)).not.toBe(await hashOf(4))
  })
})

describe('a simulated network', () => {
  function pair() {
    const world = new World(1, new Trace(), (host) => host.startsWith('n'))
    const [left, right] = ['n1', 'n2'].map((name) => new SimulatedProcess(name, world.time))
    if (left === undefined || right === undefined) throw new Error('two processes')
    const networkOf = (process: SimulatedProcess) =>
      createProcessNetwork(process, world.hub.networkFor(process.name), world)
    return { world, left, right, from: networkOf(left), to: networkOf(right) }
  }
  async function connected() {
    const { world, left, right, from, to } = pair()
    const received: string[] = []
    const kept: Uint8Array[] = []
    await Promise.all([
      to.listen('n2:1', () => ({
        frame: (bytes) => {
          kept.push(bytes)
          received.push(Buffer.from(bytes).toString())
        },
        closed: () => received.push('closed'),
      })),
      world.pass(1),
    ])
    const connection = from.dial('n2:1', { frame: () => {}, closed: () => {} })
    const send = (text: string) => connection.send(new Uint8Array(Buffer.from(text)))
    await world.pass(10)
    return { world, left, right, send, received, kept }
  }

  it('delivers in order and overwrites what a receiver keeps', async () => {
    const { world, send, received, kept } = await connected()
    for (const text of ['hello', 'one', 'two']) send(text)
    await world.pass(100)
    expect(received).toEqual(['hello', 'one', 'two'])
    expect(kept[0]?.[0]).toBe(0xdb)
  })

  it('holds frames while the direction is severed and delivers them when it heals', async () => {
    const { world, send, received } = await connected()
    world.weather.sever('n1', 'n2')
    world.applyWeather()
    send('hello')
    await world.pass(500)
    expect(received).toEqual([])
    world.weather.clear()
    world.applyWeather()
    await world.pass(100)
    expect(received).toEqual(['hello'])
  })

  it('loses and repeats frames between nodes in a storm, but never the one that opens a connection', async () => {
    const { world, send, received } = await connected()
    world.weather.climate = { delayMsMean: 1, loss: 0.5, duplication: 0.5, overtakingMs: 5 }
    send('hello')
    for (let number = 0; number < 50; number++) send(`frame ${number}`)
    await world.pass(1_000)
    expect(received[0]).toBe('hello')
    expect(new Set(received).size).toBeLessThan(51)
    expect(new Set(received).size).toBeLessThan(received.length)
  })

  it('gives a paused receiver its frames when it goes on', async () => {
    const { world, right, send, received } = await connected()
    right.pause()
    send('hello')
    await world.pass(100)
    expect(received).toEqual([])
    right.resume()
    await world.pass(1)
    expect(received).toEqual(['hello'])
  })
})

describe('seeded chance', () => {
  it('gives every stream of a seed its own sequence, the same each time', () => {
    const draw = (stream: string) =>
      Array.from({ length: 4 }, new SeededRandom(7, stream).next.bind(new SeededRandom(7, stream)))
    expect(draw('a')).toEqual(draw('a'))
    expect(draw('a')).not.toEqual(draw('b'))
  })
})
