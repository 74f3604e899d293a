// What a client does next: gets, sets of unique values, conditional sets, deletes on a few keys, increments on counters.
import type { ClientOperationKind, Seen } from './history.ts'

/** One operation before it was tried. */
export interface PlannedOperation {
  readonly f: ClientOperationKind
  readonly key: string
  readonly argument: string | number | null
  readonly expectedVersion: number | null
  /** set, touch: ms. */
  readonly ttl?: number
  /** get: missing = linearizable. */
  readonly how?: 'lease' | 'stale'
  /** Stale get: ms; missing = however old. */
  readonly maxAge?: number
}

/** Shares of the gets; the others are linearizable. */
export interface ReadMix {
  readonly lease: number
  readonly stale: number
  /** Share of the stale ones that have a limit. */
  readonly limited: number
  readonly maxAgeMs: number
}

export interface WorkloadShape {
  /** Registers: get, set, cas, del. Few, so that clients meet. */
  readonly registerKeys: number
  readonly counterKeys: number
  /** Keys that expire: get, set with and without a ttl, touch, persist. Default none. */
  readonly briefKeys?: number
  /** Default: all gets are linearizable. */
  readonly reads?: ReadMix
  /** Pause of a client between two operations, mean in ms. */
  readonly thinkMsMean: number
  /** Weights of the kinds. */
  readonly weights: Readonly<Record<Exclude<ClientOperationKind, 'touch' | 'persist'>, number>>
}

export const registerShape: WorkloadShape = {
  registerKeys: 12,
  counterKeys: 4,
  briefKeys: 4,
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

const BRIEF = 'brief-'
/** Of all operations, where there are brief keys. */
const BRIEF_SHARE = 0.2
const TTL_MS_MAX = 3_000

/** A key of the workload that expires: what holds of it depends on time. */
export function isBrief(key: string): boolean {
  return key.startsWith(BRIEF)
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
    const planned = this.#plain()
    const { reads } = this.#shape
    return planned.f === 'get' && reads !== undefined ? { ...planned, ...this.#read(reads) } : planned
  }

  #read({ lease, stale, limited, maxAgeMs }: ReadMix): Pick<PlannedOperation, 'how' | 'maxAge'> {
    const kind = this.#chance.next()
    if (kind < lease) return { how: 'lease' }
    if (kind >= lease + stale) return {}
    return this.#chance.next() < limited ? { how: 'stale', maxAge: maxAgeMs } : { how: 'stale' }
  }

  #plain(): PlannedOperation {
    if (this.#shape.briefKeys !== undefined && this.#chance.next() < BRIEF_SHARE)
      return this.#brief(this.#shape.briefKeys)
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

  #brief(keys: number): PlannedOperation {
    const key = `${BRIEF}${this.#below(keys)}`
    const planned = { key, argument: null, expectedVersion: null }
    const kind = this.#chance.next()
    if (kind < 0.5) return { f: 'get', ...planned }
    if (kind < 0.55) return { f: 'persist', ...planned }
    // From what ends before the next operation to what outlives an election.
    const ttl = 1 + this.#below(TTL_MS_MAX)
    if (kind < 0.7) return { f: 'touch', ...planned, ttl }
    const argument = `${this.#process}.${this.#count++}`
    return kind < 0.75 ? { f: 'set', ...planned, argument } : { f: 'set', ...planned, argument, ttl }
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

  #kind(): keyof WorkloadShape['weights'] {
    const kinds = Object.entries(this.#shape.weights)
    let left = this.#chance.next() * kinds.reduce((sum, [, weight]) => sum + weight, 0)
    for (const [kind, weight] of kinds) {
      left -= weight
      if (left < 0 && isKind(kind)) return kind
    }
    return 'get'
  }
}

function isKind(text: string): text is keyof WorkloadShape['weights'] {
  return text === 'get' || text === 'set' || text === 'cas' || text === 'incr' || text === 'del'
}

/** Every key that a workload of this shape can touch. */
export function keysOf(shape: WorkloadShape): string[] {
  return [
    ...Array.from({ length: shape.registerKeys }, (_, index) => `key-${index}`),
    ...Array.from({ length: shape.briefKeys ?? 0 }, (_, index) => `${BRIEF}${index}`),
    ...Array.from({ length: shape.counterKeys }, (_, index) => `counter-${index}`),
  ]
}
