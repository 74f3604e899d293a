// What a client does next: gets, sets of unique values, conditional sets, deletes on a few keys, increments on counters.
import type { OperationKind, Seen } from './history.ts'

/** One operation before it was tried. */
export interface PlannedOperation {
  readonly f: OperationKind
  readonly key: string
  readonly argument: string | number | null
  readonly expectedVersion: number | null
}

export interface WorkloadShape {
  /** Registers: get, set, cas, del. Few, so that clients meet. */
  readonly registerKeys: number
  readonly counterKeys: number
  /** Pause of a client between two operations, mean in ms. */
  readonly thinkMsMean: number
  /** Weights of the kinds. */
  readonly weights: Readonly<Record<OperationKind, number>>
}

export const registerShape: WorkloadShape = {
  registerKeys: 12,
  counterKeys: 4,
  thinkMsMean: 40,
  weights: { get: 5, set: 4, cas: 3, incr: 3, del: 1 },
}

/** For processes: as many keys as keep the clients apart most of the time. */
export const mixedShape: WorkloadShape = {
  registerKeys: 64,
  counterKeys: 16,
  thinkMsMean: 8,
  weights: { get: 5, set: 4, cas: 2, incr: 4, del: 1 },
}

/** Chance as the workload needs it; the simulator's seeded random and the real one both fit. */
export interface Chance {
  next(): number
}

export class Planner {
  readonly #process: string
  readonly #shape: WorkloadShape
  readonly #chance: Chance
  /** The newest version this client saw of each key: what a conditional set expects. */
  readonly #versions = new Map<string, number>()
  #count = 0

  constructor(process: string, shape: WorkloadShape, chance: Chance) {
    this.#process = process
    this.#shape = shape
    this.#chance = chance
  }

  next(): PlannedOperation {
    const f = this.#kind()
    if (f === 'incr') return { f, key: this.#counter(), argument: 1, expectedVersion: null }
    // One get in four reads a counter.
    if (f === 'get' && this.#chance.next() < 0.25)
      return { f, key: this.#counter(), argument: null, expectedVersion: null }
    const key = `key-${this.#below(this.#shape.registerKeys)}`
    if (f === 'get' || f === 'del') return { f, key, argument: null, expectedVersion: null }
    // Unique: whoever sees this value knows which operation wrote it.
    const argument = `${this.#process}.${this.#count++}`
    return { f, key, argument, expectedVersion: f === 'cas' ? (this.#versions.get(key) ?? 0) : null }
  }

  /** An answer showed this of a key. */
  saw(key: string, seen: Seen): void {
    this.#versions.set(key, seen.version ?? 0)
  }

  #counter(): string {
    return `counter-${this.#below(this.#shape.counterKeys)}`
  }

  #below(limit: number): number {
    return Math.floor(this.#chance.next() * limit)
  }

  #kind(): OperationKind {
    const kinds = Object.entries(this.#shape.weights)
    let left = this.#chance.next() * kinds.reduce((sum, [, weight]) => sum + weight, 0)
    for (const [kind, weight] of kinds) {
      left -= weight
      if (left < 0 && isKind(kind)) return kind
    }
    return 'get'
  }
}

function isKind(text: string): text is OperationKind {
  return text === 'get' || text === 'set' || text === 'cas' || text === 'incr' || text === 'del'
}

/** Every key that a workload of this shape can touch. */
export function keysOf(shape: WorkloadShape): string[] {
  return [
    ...Array.from({ length: shape.registerKeys }, (_, index) => `key-${index}`),
    ...Array.from({ length: shape.counterKeys }, (_, index) => `counter-${index}`),
  ]
}
