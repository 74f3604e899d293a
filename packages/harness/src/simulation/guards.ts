// While a run lasts, real time, chance and timers throw: whoever reaches around the runtime port is found by its first call.
import nodeCrypto from 'node:crypto'
import { syncBuiltinESMExports } from 'node:module'
import nodeTimers from 'node:timers'
import timersPromises from 'node:timers/promises'

interface Trap {
  readonly target: object
  readonly property: string
  readonly label: string
}

// Each line is a way around the port. Locale functions depend on the machine, the two signals on the garbage collector.
const traps: readonly Trap[] = [
  ...named(Math, 'Math', ['random']),
  ...named(globalThis, 'globalThis', ['setTimeout', 'setInterval', 'setImmediate']),
  ...named(performance, 'performance', ['now']),
  ...named(process, 'process', ['hrtime', 'uptime']),
  ...named(globalThis.crypto, 'crypto', ['getRandomValues', 'randomUUID']),
  ...named(nodeCrypto, 'node:crypto', [
    'randomBytes',
    'randomFillSync',
    'randomFill',
    'randomInt',
    'randomUUID',
  ]),
  ...named(nodeTimers, 'node:timers', ['setTimeout', 'setInterval', 'setImmediate']),
  ...named(timersPromises, 'node:timers/promises', ['setTimeout', 'setInterval', 'setImmediate']),
  ...named(AbortSignal, 'AbortSignal', ['timeout', 'any']),
  ...named(String.prototype, 'String.prototype', ['localeCompare', 'toLocaleUpperCase', 'toLocaleLowerCase']),
  ...named(Number.prototype, 'Number.prototype', ['toLocaleString']),
]

/** A run reached for real time, chance or a real timer. */
export class DeterminismError extends Error {
  override readonly name = 'DeterminismError'
}

/** Installs every trap; the function returned takes them all away. Trapped calls are also reported to `onTrapped`. */
export function installGuards(onTrapped: (error: DeterminismError) => void = () => {}): () => void {
  const restorers = traps.map(({ target, property, label }) =>
    replace(target, property, trapped(label, onTrapped)),
  )
  restorers.push(replace(globalThis, 'Date', trappedDate(onTrapped)))
  syncBuiltinESMExports()
  return () => {
    for (const restore of restorers.toReversed()) restore()
    syncBuiltinESMExports()
  }
}

function named(target: object, name: string, properties: readonly string[]): Trap[] {
  return properties.map((property) => ({ target, property, label: `${name}.${property}` }))
}

function trapped(label: string, onTrapped: (error: DeterminismError) => void): () => never {
  return () => {
    // A swallowed exception would hide the call: the report makes the run fail all the same.
    const error = new DeterminismError(`${label} was used inside a simulation`)
    onTrapped(error)
    throw error
  }
}

/** `Date` is a constructor with statics: both the call, the construction and the clock throw; parsing does no harm. */
function trappedDate(onTrapped: (error: DeterminismError) => void): typeof Date {
  const fail = trapped('Date', onTrapped)
  return new Proxy(Date, {
    apply: fail,
    construct: fail,
    get: (target, property, receiver): unknown =>
      property === 'now' ? fail : Reflect.get(target, property, receiver),
  })
}

function replace(target: object, property: string, value: unknown): () => void {
  const original = Object.getOwnPropertyDescriptor(target, property)
  Object.defineProperty(target, property, { value, configurable: true, writable: true })
  return () => {
    if (original === undefined) Reflect.deleteProperty(target, property)
    else Object.defineProperty(target, property, original)
  }
}
