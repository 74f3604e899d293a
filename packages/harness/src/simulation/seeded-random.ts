// Chance from a seed, one independent stream per name, so that one more draw in one place moves no other stream.
import { createSeededRandom, type Random } from '@quorate/runtime'

/** Seeds that chance itself draws are below this. */
export const CHANCE_MAX: number = 2 ** 31

export class SeededRandom implements Random {
  readonly #source: Random

  /** `stream` names what the chance is for: the same seed gives unrelated sequences for different names. */
  constructor(seed: number, stream: string) {
    const text = `${seed}/${stream}`
    this.#source = createSeededRandom(hashText(text) * 2 ** 21 + (hashText(`${text}/`) % 2 ** 21))
  }

  next(): number {
    return this.#source.next()
  }

  bytes(length: number): Uint8Array {
    return this.#source.bytes(length)
  }

  /** Uniform in 0..limit - 1. */
  below(limit: number): number {
    return Math.floor(this.next() * limit)
  }

  /** Uniform in [from, to). */
  between(from: number, to: number): number {
    return from + this.next() * (to - from)
  }

  /** Uniform whole number from `from` to `to`, both rounded. */
  wholeBetween(from: number, to: number): number {
    return Math.round(this.between(from, to))
  }

  chance(probability: number): boolean {
    return this.next() < probability
  }

  /** Exponential with the given mean, cut at ten times the mean. */
  exponential(mean: number): number {
    return Math.min(-Math.log(1 - this.next()) * mean, mean * 10)
  }

  pick<Item>(items: readonly Item[]): Item {
    const item = items[this.below(items.length)]
    if (item === undefined) throw new Error('pick from an empty list')
    return item
  }

  shuffle<Item>(items: readonly Item[]): Item[] {
    const rest = [...items]
    const shuffled: Item[] = []
    while (rest.length > 0) shuffled.push(...rest.splice(this.below(rest.length), 1))
    return shuffled
  }
}

/** FNV-1a over UTF-16 units. */
function hashText(text: string): number {
  let hash = 0x811c9dc5
  for (let index = 0; index < text.length; index++)
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193)
  return hash >>> 0
}
