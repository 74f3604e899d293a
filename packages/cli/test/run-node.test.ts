import type { NodeEvent, QuorateNode } from '@quorate/node'
import { expect, test } from 'vitest'
import { type OpenHttp, type Process, runNode } from '../src/serve/run-node.ts'
import { stopSignals } from '../src/stop-signals.ts'

const forever = new Promise<never>(() => undefined)

function play(node: Partial<QuorateNode>, openHttp: OpenHttp | null = null) {
  const events: NodeEvent[] = []
  const lines: string[] = []
  let stop: (reason: string) => void = () => undefined
  let deadline: () => void = () => undefined
  const process: Process = {
    log: (event) => events.push(event),
    err: (text) => lines.push(text),
    onStop: (given) => {
      stop = given
    },
    delay: () =>
      new Promise((resolve) => {
        deadline = resolve
      }),
  }
  const whole: QuorateNode = {
    clientAddress: 'c:1',
    peerAddress: 'p:1',
    start: async () => undefined,
    stop: async () => undefined,
    record: async () => [],
    halted: forever,
    status: () => {
      throw new Error('not asked for here')
    },
    measures: () => null,
    readiness: () => [],
    transferLeadership: () => false,
    changeMembership: () => forever,
    cancelMembershipChange: () => forever,
    removeNode: () => forever,
    ...node,
  }
  const code = runNode(whole, process, openHttp)
  return { code, events, lines, stop: () => stop('SIGTERM'), deadline: () => deadline() }
}

test('a node that is asked to stop stops and exits 0', async () => {
  const played = play({})
  played.stop()
  expect(await played.code).toBe(0)
  expect(played.events.map(({ code }) => code)).toEqual(['listening', 'stopping', 'stopped'])
  expect(played.lines).toEqual([])
})

test('a node that halts exits 1 with one line', async () => {
  const played = play({ halted: Promise.resolve(new Error('fdatasync failed\nEIO')) })
  expect(await played.code).toBe(1)
  expect(played.lines).toEqual(['error: the node has halted: Error: fdatasync failed EIO\n'])
})

test('a node that cannot start exits 1 and names the code', async () => {
  const refusal = Object.assign(new Error('listen 127.0.0.1:7400'), { code: 'EADDRINUSE' })
  const played = play({ start: () => Promise.reject(refusal) })
  expect(await played.code).toBe(1)
  expect(played.lines[0]).toContain('EADDRINUSE')
})

test('the port for operators is open before the start and until after the stop', async () => {
  const order: string[] = []
  const played = play(
    {
      start: async () => void order.push('start'),
      stop: async () => void order.push('stop'),
    },
    async () => {
      order.push('open')
      return { address: 'h:1', close: async () => void order.push('close') }
    },
  )
  played.stop()
  expect(await played.code).toBe(0)
  expect(order).toEqual(['open', 'start', 'stop', 'close'])
  expect(played.events[0]).toEqual({ code: 'http_listening', address: 'h:1' })
})

test('a port for operators that is in use keeps the node from starting, and nothing is opened', async () => {
  let started = false
  const busy = Object.assign(new Error('listen EADDRINUSE'), { code: 'EADDRINUSE' })
  const played = play({ start: async () => void (started = true) }, () => Promise.reject(busy))
  expect(await played.code).toBe(1)
  expect(played.lines).toEqual([expect.stringMatching(/cannot start.*EADDRINUSE/)])
  expect(played.events).toEqual([expect.objectContaining({ code: 'start_failed' })])
  expect(started).toBe(false)
})

test('a stop that does not end by its deadline exits 1', async () => {
  const played = play({ stop: () => forever })
  played.stop()
  // The deadline is armed a few promise turns after the wish to stop.
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve()
  played.deadline()
  expect(await played.code).toBe(1)
  expect(played.lines[0]).toContain('did not stop')
})

test('Ctrl-C that npm repeats within a second does not force; a later one does', () => {
  const calls: string[] = []
  let now = 0
  const signal = stopSignals({ stop: () => calls.push('stop'), force: () => calls.push('force') }, () => now)
  signal('SIGINT')
  now = 3
  signal('SIGINT')
  now = 5000
  signal('SIGTERM')
  expect(calls).toEqual(['stop'])
  signal('SIGINT')
  expect(calls).toEqual(['stop', 'force'])
})
