// Real time, chance and timers throw while a simulation runs: each way to reach them is tried.
import nodeCrypto, { randomBytes } from 'node:crypto'
import nodeTimers from 'node:timers'
import timersPromises from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { guarded, installGuards } from '../src/simulation/guards.ts'
import { SimulatedProcess } from '../src/simulation/simulated-process.ts'
import { Trace } from '../src/simulation/trace.ts'
import { VirtualTime } from '../src/simulation/virtual-time.ts'

const soon = (): void => {}
const buffer = new Uint8Array(4)

/** By the name under which it is guarded. */
const forbidden: Record<string, readonly (() => unknown)[]> = {
  Date: [() => Date.now(), () => new Date(), () => new Date(0), () => Date()],
  'Math.random': [() => Math.random()],
  'globalThis.setTimeout': [() => setTimeout(soon, 1)],
  'globalThis.setInterval': [() => clearInterval(setInterval(soon, 1_000))],
  'globalThis.setImmediate': [() => setImmediate(soon)],
  'globalThis.WeakRef': [() => new WeakRef(buffer)],
  'globalThis.FinalizationRegistry': [() => new FinalizationRegistry(soon)],
  'performance.now': [() => performance.now()],
  'performance.mark': [() => performance.mark('a')],
  'performance.measure': [() => performance.measure('a')],
  'process.hrtime': [() => process.hrtime()],
  'process.hrtime.bigint': [() => process.hrtime.bigint()],
  'process.uptime': [() => process.uptime()],
  'crypto.getRandomValues': [
    () => globalThis.crypto.getRandomValues(buffer),
    () => nodeCrypto.getRandomValues(buffer),
    () => nodeCrypto.webcrypto.getRandomValues(buffer),
  ],
  'crypto.randomUUID': [() => globalThis.crypto.randomUUID()],
  'node:crypto.randomBytes': [() => nodeCrypto.randomBytes(4), () => randomBytes(4)],
  'node:crypto.randomFillSync': [() => nodeCrypto.randomFillSync(buffer)],
  'node:crypto.randomFill': [() => nodeCrypto.randomFill(buffer, soon)],
  'node:crypto.randomInt': [() => nodeCrypto.randomInt(5)],
  'node:crypto.randomUUID': [() => nodeCrypto.randomUUID()],
  'node:timers.setTimeout': [() => nodeTimers.setTimeout(soon, 1)],
  'node:timers.setInterval': [() => nodeTimers.clearInterval(nodeTimers.setInterval(soon, 1_000))],
  'node:timers.setImmediate': [() => nodeTimers.setImmediate(soon)],
  'node:timers/promises.setTimeout': [() => timersPromises.setTimeout(1)],
  'node:timers/promises.setInterval': [() => timersPromises.setInterval(1)],
  'node:timers/promises.setImmediate': [() => timersPromises.setImmediate()],
  'node:timers/promises.scheduler.wait': [() => timersPromises.scheduler.wait(1)],
  'node:timers/promises.scheduler.yield': [() => timersPromises.scheduler.yield()],
  'AbortSignal.timeout': [() => AbortSignal.timeout(1)],
  'AbortSignal.any': [() => AbortSignal.any([])],
  'String.prototype.localeCompare': [() => 'a'.localeCompare('b')],
  'String.prototype.toLocaleUpperCase': [() => 'a'.toLocaleUpperCase()],
  'String.prototype.toLocaleLowerCase': [() => 'a'.toLocaleLowerCase()],
  'Number.prototype.toLocaleString': [() => (1).toLocaleString()],
  'BigInt.prototype.toLocaleString': [() => 1n.toLocaleString()],
  'Array.prototype.toLocaleString': [() => [1].toLocaleString()],
  'Intl.Collator': [() => new Intl.Collator()],
  'Intl.DateTimeFormat': [() => new Intl.DateTimeFormat()],
  'Intl.NumberFormat': [() => new Intl.NumberFormat()],
}

function errorOf(use: () => unknown): unknown {
  try {
    use()
    return null
  } catch (error) {
    return error
  }
}

describe('during a simulation', () => {
  it('everything that is guarded is tried here', () => {
    expect(Object.keys(forbidden).toSorted()).toEqual(guarded.toSorted())
  })

  it.each(Object.entries(forbidden))('%s throws, is reported, and works again afterwards', (_, uses) => {
    for (const use of uses) {
      const reported: string[] = []
      const remove = installGuards(({ message }) => reported.push(message))
      const error = errorOf(use)
      remove()
      expect(String(error)).toContain('inside a simulation')
      expect(reported).toHaveLength(1)
      expect(use).not.toThrow()
    }
  })

  it('virtual time goes on', async () => {
    const remove = installGuards()
    try {
      const time = new VirtualTime(new Trace())
      new SimulatedProcess('n1', time).timers.after(5, soon)
      await time.run(10)
      expect(time.nowMs).toBe(10)
    } finally {
      remove()
    }
  })
})
