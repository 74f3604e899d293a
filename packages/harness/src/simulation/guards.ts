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

const timerNames = ['setTimeout', 'setInterval', 'setImmediate']
// `getRandomValues` of this module goes through the global one.
const chanceNames = ['randomBytes', 'randomFillSync', 'randomFill', 'randomInt', 'randomUUID']
const localeText = ['localeCompare', 'toLocaleUpperCase', 'toLocaleLowerCase']

// Each line is a way around the port. Locale functions depend on the machine, the two signals and weak references on the
// garbage collector.
const traps: readonly Trap[] = [
  ...named(Math, 'Math', ['random']),
  ...named(globalThis, 'globalThis', [...timerNames, 'WeakRef', 'FinalizationRegistry']),
  ...named(performance, 'performance', ['now', 'mark', 'measure']),
  ...named(process, 'process', ['hrtime', 'uptime']),
  ...named(globalThis.crypto, 'crypto', ['getRandomValues', 'randomUUID']),
  ...named(nodeCrypto, 'node:crypto', chanceNames),
  ...named(nodeTimers, 'node:timers', timerNames),
  ...named(timersPromises, 'node:timers/promises', timerNames),
  ...named(timersPromises.scheduler, 'node:timers/promises.scheduler', ['wait', 'yield']),
  ...named(AbortSignal, 'AbortSignal', ['timeout', 'any']),
  ...named(String.prototype, 'String.prototype', localeText),
  ...named(Number.prototype, 'Number.prototype', ['toLocaleString']),
  ...named(BigInt.prototype, 'BigInt.prototype', ['toLocaleString']),
  ...named(Array.prototype, 'Array.prototype', ['toLocaleString']),
  ...named(Intl, 'Intl', ['Collator', 'DateTimeFormat', 'NumberFormat']),
]

/** What throws during a run. */
export const guarded: readonly string[] = [
  'Date',
  'process.hrtime.bigint',
  ...traps.map(({ label }) => label),
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
  // Of the trap that stands for `hrtime` by now.
  restorers.push(replace(process.hrtime, 'bigint', trapped('process.hrtime.bigint', onTrapped)))
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
  // A function, not an arrow: some of them are constructors.
  return function forbidden(): never {
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
