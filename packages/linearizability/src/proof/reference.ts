// Correct objects, one per model, written without the models: what they answer is a legal history.
import type { JsonValue } from '../history/json-value.ts'
import type { Random } from './random.ts'

/** What a client asks for. */
export interface Request {
  readonly f: string
  readonly value?: JsonValue
  readonly ttl?: number
}

/** `changed`: the answer has a version of its own. No result: nothing is answered. */
export interface Answer {
  readonly result?: JsonValue
  readonly changed: boolean
}

export interface Reference {
  draw(random: Random): Request
  /** `clock` is the object's own time, ms; it never goes back. */
  apply(request: Request, clock: number): Answer
}

export interface Vocabulary {
  /** Values are 1..values, each as often as it comes; 0: each written once. */
  readonly values: number
  /** Part of the operations that only look. */
  readonly reads: number
  /** Whether what removes a value (del, evict) occurs too. */
  readonly removals: boolean
}

export function referenceFor(model: string, vocabulary: Vocabulary): Reference {
  const reference = references[model]
  if (reference === undefined) throw new Error(`there is no reference for ${model}`)
  return reference(vocabulary)
}

const references: Readonly<Record<string, (vocabulary: Vocabulary) => Reference>> = {
  register: (vocabulary) => new Register(vocabulary, false),
  'cas-register': (vocabulary) => new Register(vocabulary, true),
  counter: (vocabulary) => new Counter(vocabulary),
  'append-list': (vocabulary) => new AppendList(vocabulary),
  set: (vocabulary) => new MemberSet(vocabulary),
  'ttl-key': (vocabulary) => new TtlKey(vocabulary),
  'fenced-lock': (vocabulary) => new FencedLock(vocabulary),
}

class FreshValues {
  readonly #values: number
  #last = 0

  constructor({ values }: Vocabulary) {
    this.#values = values
  }

  draw(random: Random): number {
    this.#last += 1
    return this.#values === 0 ? this.#last : 1 + random.below(this.#values)
  }
}

class Register implements Reference {
  readonly #vocabulary: Vocabulary
  readonly #fresh: FreshValues
  readonly #cas: boolean
  #value: number | null = null
  #recent: (number | null)[] = [null]

  constructor(vocabulary: Vocabulary, cas: boolean) {
    this.#vocabulary = vocabulary
    this.#fresh = new FreshValues(vocabulary)
    this.#cas = cas
  }

  draw(random: Random): Request {
    if (random.chance(this.#vocabulary.reads)) return { f: 'get' }
    if (this.#vocabulary.removals && random.chance(0.2)) return { f: random.pick(['del', 'evict']) }
    if (!this.#cas || random.chance(0.3)) return { f: 'set', value: this.#fresh.draw(random) }
    // As of a client that looked a moment ago.
    return { f: 'cas', value: [random.pick(this.#recent), this.#fresh.draw(random)] }
  }

  apply({ f, value }: Request): Answer {
    const before = this.#value
    if (f === 'get') return { result: before, changed: false }
    if (f === 'del') this.#value = null
    if (f === 'evict') this.#value = null
    if (f === 'set') this.#value = Number(value)
    const [expected = null, next = null] = Array.isArray(value) ? (value as (number | null)[]) : []
    const won = f === 'cas' && expected === before
    if (won) this.#value = next
    this.#recent = [...this.#recent.slice(-2), this.#value]
    if (f === 'cas') return { result: won, changed: won }
    return f === 'del' ? { result: before !== null, changed: before !== null } : { changed: true }
  }
}

class Counter implements Reference {
  readonly #vocabulary: Vocabulary
  #value: number | null = null

  constructor(vocabulary: Vocabulary) {
    this.#vocabulary = vocabulary
  }

  draw(random: Random): Request {
    if (random.chance(this.#vocabulary.reads)) return { f: 'get' }
    if (this.#vocabulary.removals && random.chance(0.1)) return { f: random.pick(['del', 'evict']) }
    return { f: 'incr', value: random.pick([1, 1, 2, -1]) }
  }

  apply({ f, value }: Request): Answer {
    const before = this.#value
    if (f === 'get') return { result: before, changed: false }
    this.#value = f === 'incr' ? (before ?? 0) + Number(value) : null
    if (f === 'incr') return { result: this.#value, changed: true }
    return f === 'del' ? { result: before !== null, changed: before !== null } : { changed: true }
  }
}

class AppendList implements Reference {
  readonly #vocabulary: Vocabulary
  readonly #fresh: FreshValues
  readonly #list: number[] = []

  constructor(vocabulary: Vocabulary) {
    this.#vocabulary = vocabulary
    this.#fresh = new FreshValues(vocabulary)
  }

  draw(random: Random): Request {
    return random.chance(this.#vocabulary.reads)
      ? { f: 'get' }
      : { f: 'append', value: this.#fresh.draw(random) }
  }

  apply({ f, value }: Request): Answer {
    if (f === 'get') return { result: [...this.#list], changed: false }
    return { result: this.#list.push(Number(value)), changed: true }
  }
}

class MemberSet implements Reference {
  readonly #vocabulary: Vocabulary
  readonly #members = new Set<number>()

  constructor(vocabulary: Vocabulary) {
    this.#vocabulary = vocabulary
  }

  draw(random: Random): Request {
    const value = 1 + random.below(this.#vocabulary.values || 4)
    if (random.chance(this.#vocabulary.reads))
      return random.chance(0.5) ? { f: 'get' } : { f: 'contains', value }
    return { f: random.pick(['add', 'remove']), value }
  }

  apply({ f, value }: Request): Answer {
    const member = Number(value)
    if (f === 'get') return { result: [...this.#members], changed: false }
    const had = this.#members.has(member)
    if (f === 'contains') return { result: had, changed: false }
    if (f === 'add') this.#members.add(member)
    else this.#members.delete(member)
    const changed = had === (f === 'remove')
    return { result: changed, changed }
  }
}

class TtlKey implements Reference {
  readonly #vocabulary: Vocabulary
  readonly #fresh: FreshValues
  #entry: { value: number; deadline: number } | null = null

  constructor(vocabulary: Vocabulary) {
    this.#vocabulary = vocabulary
    this.#fresh = new FreshValues(vocabulary)
  }

  draw(random: Random): Request {
    if (random.chance(this.#vocabulary.reads)) return { f: 'get' }
    const ttl = random.chance(0.3) ? {} : { ttl: 1 + random.below(4) }
    if (random.chance(0.5)) return { f: 'set', value: this.#fresh.draw(random), ...ttl }
    const f = random.pick(['touch', 'persist', this.#vocabulary.removals ? 'del' : 'touch'])
    return f === 'touch' ? { f, ...ttl } : { f }
  }

  apply({ f, value, ttl }: Request, clock: number): Answer {
    if (this.#entry !== null && clock >= this.#entry.deadline) this.#entry = null
    const entry = this.#entry
    const deadline = ttl === undefined ? Infinity : clock + ttl
    if (f === 'get') return { result: entry?.value ?? null, changed: false }
    if (f === 'set') this.#entry = { value: Number(value), deadline }
    else if (f === 'del') this.#entry = null
    else if (entry !== null)
      this.#entry = { value: entry.value, deadline: f === 'touch' ? deadline : Infinity }
    return f === 'set' ? { changed: true } : { result: entry !== null, changed: entry !== null }
  }
}

class FencedLock implements Reference {
  readonly #vocabulary: Vocabulary
  #token = 0
  #held = false

  constructor(vocabulary: Vocabulary) {
    this.#vocabulary = vocabulary
  }

  draw(random: Random): Request {
    if (random.chance(this.#vocabulary.reads)) return { f: 'holder' }
    if (this.#vocabulary.removals && random.chance(0.1)) return { f: 'expire' }
    return random.chance(0.5)
      ? { f: 'acquire' }
      : { f: 'release', value: Math.max(1, this.#token - (random.chance(0.8) ? 0 : 1)) }
  }

  apply({ f, value }: Request): Answer {
    const wasHeld = this.#held
    switch (f) {
      case 'holder':
        return { result: wasHeld ? this.#token : null, changed: false }
      case 'acquire':
        if (wasHeld) return { result: null, changed: false }
        this.#held = true
        this.#token += 1
        return { result: this.#token, changed: true }
      case 'release': {
        const own = wasHeld && Number(value) === this.#token
        if (own) this.#held = false
        return { result: own, changed: own }
      }
      default:
        this.#held = false
        return { changed: wasHeld }
    }
  }
}
