// What every implementation of the network port promises, as tests: `networkConformance('name', open)`.
import type { Connection, ConnectionHandlers, Listener, Network } from '@quorate/runtime'
import { NetworkError } from '@quorate/runtime'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'

/** A network under test, and the passing of its time. */
export interface NetworkUnderTest {
  readonly dialler: Network
  readonly acceptor: Network
  /** An address to listen at whose port is 0. */
  readonly freeAddress: string
  /** An address at which nobody listens. */
  readonly deadAddress: string
  /** Lets about a millisecond of the network's time pass. */
  turn(): Promise<void>
  dispose(): Promise<void>
}

const SETTLE_TURNS = 50

/** One side of a connection and everything that its handlers heard. */
interface Side {
  connection: Connection
  readonly frames: Uint8Array[]
  readonly reasons: string[]
  opened: number
}

export function networkConformance(name: string, open: () => Promise<NetworkUnderTest>): void {
  describe(`${name} keeps the promises of the network port`, () => {
    let under: NetworkUnderTest
    beforeEach(async () => {
      under = await open()
    })
    afterEach(() => under.dispose())

    streamTests(() => under)
    closeTests(() => under)
    callbackTests(() => under)
    listenTests(() => under)
  })
}

function streamTests(under: () => NetworkUnderTest): void {
  test('frames arrive whole and in order in both directions', async () => {
    const { near, far, listener } = await connected(under())
    const sizes = [0, 1, 125, 126, 65_535, 65_536, 1_048_576, 3]
    for (const [index, size] of sizes.entries()) {
      near.connection.send(patterned(size, index))
      far().connection.send(patterned(size, index + 100))
    }
    await until(under(), () => far().frames.length === sizes.length && near.frames.length === sizes.length)
    expect(
      far().frames.map((frame, index) => same(frame, patterned(sizes[index] ?? -1, index))),
    ).not.toContain(false)
    expect(
      near.frames.map((frame, index) => same(frame, patterned(sizes[index] ?? -1, index + 100))),
    ).not.toContain(false)
    await listener.close()
  })

  test('thousands of small frames keep their order', async () => {
    const { near, far } = await connected(under())
    for (let index = 0; index < 3_000; index += 1)
      near.connection.send(Uint8Array.of(index & 0xff, index >> 8))
    await until(under(), () => far().frames.length === 3_000)
    expect(far().frames.map(([low, high]) => (low ?? 0) + (high ?? 0) * 256)).toEqual(
      Array.from({ length: 3_000 }, (_, index) => index),
    )
  })

  test('frames sent before the connection opened are queued and arrive', async () => {
    const { side: far, accept } = acceptingSide()
    const listener = await under().acceptor.listen(under().freeAddress, accept)
    const near = dial(under().dialler, listener.address)
    near.connection.send(Uint8Array.of(1))
    near.connection.send(Uint8Array.of(2))
    expect(near.connection.bufferedBytes).toBe(2)
    await until(under(), () => far()?.frames.length === 2)
    expect(far()?.frames.map(([byte]) => byte)).toEqual([1, 2])
    expect(near.opened).toBe(1)
  })

  test('an accepting side may answer from inside its handlers', async () => {
    const listener = await under().acceptor.listen(under().freeAddress, (connection) => ({
      frame: (bytes) => connection.send(bytes.slice()),
      closed: () => undefined,
    }))
    const near = dial(under().dialler, listener.address)
    near.connection.send(Uint8Array.of(7))
    await until(under(), () => near.frames.length === 1)
    expect([...(near.frames[0] ?? [])]).toEqual([7])
  })

  test('the other side has a name for people', async () => {
    const { near, far, listener } = await connected(under())
    expect(near.connection.remote).toBe(listener.address)
    expect(far().connection.remote).toMatch(/.+:\d+$/)
  })
}

function closeTests(under: () => NetworkUnderTest): void {
  test('a close reaches both sides exactly once, after the frames sent before it', async () => {
    const { near, far } = await connected(under())
    near.connection.send(patterned(100_000, 1))
    near.connection.send(Uint8Array.of(9))
    near.connection.close()
    near.connection.close()
    await until(under(), () => near.reasons.length > 0 && far().reasons.length > 0)
    await settled(under())
    expect(far().frames.map((frame) => frame.byteLength)).toEqual([100_000, 1])
    expect([near.reasons.length, far().reasons.length]).toEqual([1, 1])
  })

  test('a close by the accepting side reaches the dialling side exactly once', async () => {
    const { near, far } = await connected(under())
    far().connection.send(Uint8Array.of(4))
    far().connection.close()
    await until(under(), () => near.reasons.length > 0 && far().reasons.length > 0)
    await settled(under())
    expect(near.frames).toHaveLength(1)
    expect([near.reasons.length, far().reasons.length]).toEqual([1, 1])
  })

  test('after close nothing is sent and nothing is delivered', async () => {
    const { near, far } = await connected(under())
    near.connection.close()
    near.connection.send(Uint8Array.of(1))
    far().connection.send(Uint8Array.of(2))
    await until(under(), () => far().reasons.length > 0)
    await settled(under())
    expect([near.frames.length, far().frames.length]).toEqual([0, 0])
  })
}

function callbackTests(under: () => NetworkUnderTest): void {
  test('no handler is called from inside dial, send or close', async () => {
    const { accept } = acceptingSide()
    const listener = await under().acceptor.listen(under().freeAddress, accept)
    const heard: string[] = []
    let inside = ''
    const handlers: ConnectionHandlers = {
      opened: () => heard.push(`opened${inside}`),
      frame: () => heard.push(`frame${inside}`),
      closed: () => heard.push(`closed${inside}`),
    }
    inside = ' inside dial'
    const good = under().dialler.dial(listener.address, handlers)
    const bad = under().dialler.dial(under().deadAddress, handlers)
    const malformed = under().dialler.dial('no address', handlers)
    inside = ''
    await until(under(), () => heard.length === 3)
    inside = ' inside send'
    for (const connection of [good, bad, malformed]) connection.send(Uint8Array.of(1))
    inside = ' inside close'
    for (const connection of [good, bad, malformed]) connection.close()
    inside = ''
    await until(under(), () => heard.length === 4)
    await settled(under())
    expect(heard.toSorted()).toEqual(['closed', 'closed', 'closed', 'opened'])
  })

  test('a dial to nobody ends with closed, exactly once, and never opens', async () => {
    const near = dial(under().dialler, under().deadAddress)
    near.connection.send(Uint8Array.of(1))
    await until(under(), () => near.reasons.length > 0)
    await settled(under())
    expect([near.opened, near.reasons.length]).toEqual([0, 1])
    expect(near.reasons[0]).toContain('ECONNREFUSED')
  })

  test('a connection closed before it opened never opens', async () => {
    const { accept } = acceptingSide()
    const listener = await under().acceptor.listen(under().freeAddress, accept)
    const near = dial(under().dialler, listener.address)
    near.connection.close()
    await until(under(), () => near.reasons.length > 0)
    await settled(under())
    expect([near.opened, near.reasons.length]).toEqual([0, 1])
  })
}

function listenTests(under: () => NetworkUnderTest): void {
  test('port 0 picks a port, and a port in use is refused with a typed error', async () => {
    const { accept } = acceptingSide()
    const listener = await under().acceptor.listen(under().freeAddress, accept)
    expect(listener.address).not.toMatch(/:0$/)
    const again = await outcomeOf(under().acceptor.listen(listener.address, accept))
    expect(again).toBeInstanceOf(NetworkError)
    expect(again).toMatchObject({ code: 'EADDRINUSE' })
    const malformed = await outcomeOf(under().acceptor.listen('no address', accept))
    expect(malformed).toMatchObject({ name: 'NetworkError', code: 'EINVAL' })
  })

  test('a closed listener accepts nobody, frees its address and leaves accepted connections alone', async () => {
    const { near, far, listener } = await connected(under())
    await listener.close()
    await listener.close()
    const late = dial(under().dialler, listener.address)
    await until(under(), () => late.reasons.length > 0)
    near.connection.send(Uint8Array.of(5))
    await until(under(), () => far().frames.length === 1)
    const { side, accept } = acceptingSide()
    await under().acceptor.listen(listener.address, accept)
    dial(under().dialler, listener.address)
    await until(under(), () => side() !== null)
    expect(near.reasons).toEqual([])
  })
}

async function connected(
  under: NetworkUnderTest,
): Promise<{ readonly near: Side; readonly far: () => Side; readonly listener: Listener }> {
  const { side, accept } = acceptingSide()
  const listener = await under.acceptor.listen(under.freeAddress, accept)
  const near = dial(under.dialler, listener.address)
  await until(under, () => near.opened === 1 && side() !== null)
  const far = (): Side => {
    const there = side()
    if (there === null) throw new Error('nothing was accepted')
    return there
  }
  return { near, far, listener }
}

function acceptingSide(): {
  side: () => Side | null
  accept: (connection: Connection) => ConnectionHandlers
} {
  let accepted: Side | null = null
  return {
    side: () => accepted,
    accept: (connection) => {
      const side: Side = { connection, frames: [], reasons: [], opened: 0 }
      accepted ??= side
      return recording(side)
    },
  }
}

function dial(network: Network, address: string): Side {
  const heard: Omit<Side, 'connection'> = { frames: [], reasons: [], opened: 0 }
  const side = heard as Side
  side.connection = network.dial(address, recording(side))
  return side
}

/** Frames are views: they are copied before the handler returns. */
function recording(side: Side): ConnectionHandlers {
  return {
    opened: () => void (side.opened += 1),
    frame: (bytes) => void side.frames.push(new Uint8Array(bytes)),
    closed: (reason) => void side.reasons.push(reason),
  }
}

function patterned(size: number, seed: number): Uint8Array {
  return Uint8Array.from({ length: size }, (_, index) => (index * 31 + seed) & 0xff)
}

function same(one: Uint8Array, other: Uint8Array): boolean {
  return Buffer.compare(one, other) === 0
}

async function outcomeOf(promise: Promise<unknown>): Promise<unknown> {
  try {
    return await promise
  } catch (error) {
    return error
  }
}

/** Turns of the event loop until something holds; the test's own timeout is the bound. */
async function until(under: NetworkUnderTest, holds: () => boolean): Promise<void> {
  while (!holds()) await under.turn()
}

/** Long enough for anything that wrongly comes a second time. */
async function settled(under: NetworkUnderTest): Promise<void> {
  for (let turns = 0; turns < SETTLE_TURNS; turns += 1) await under.turn()
}
