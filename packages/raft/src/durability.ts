// What the own disk holds: numbers the persist effects and tells from their ends what is durable (dissertation 10.2.1).
import type { EntryMeta } from './entry.ts'
import type { HardState, Persist } from './effects.ts'
import { violated } from './invariant.ts'

interface PendingPersist {
  readonly number: number
  /** First index that it writes; null if it writes no entries. */
  readonly firstIndex: number | null
  /** Term that it records; null if it records none. */
  readonly term: number | null
}

export interface DurabilityImage {
  readonly number: number
  readonly endedNumber: number
  readonly pending: readonly PendingPersist[]
  readonly durableIndex: number
  readonly durableTerm: number
}

/**
 * An entry is durable when the last persist that wrote its index has ended. As a persist that writes at i drops what
 * lies above, that is the case exactly for the indexes below the first index of every pending persist. Index and term
 * of an ended persist would not do: the same index may have been overwritten twice since (B12).
 */
export class Durability {
  #number = 0
  #endedNumber = 0
  #pending: PendingPersist[] = []
  #durableIndex: number
  #durableTerm: number

  constructor(lastIndex: number, term: number) {
    this.#durableIndex = lastIndex
    this.#durableTerm = term
  }

  static of({ number, endedNumber, pending, durableIndex, durableTerm }: DurabilityImage): Durability {
    const durability = new Durability(durableIndex, durableTerm)
    durability.#number = number
    durability.#endedNumber = endedNumber
    durability.#pending = [...pending]
    return durability
  }

  image(): DurabilityImage {
    return {
      number: this.#number,
      endedNumber: this.#endedNumber,
      pending: [...this.#pending],
      durableIndex: this.#durableIndex,
      durableTerm: this.#durableTerm,
    }
  }

  get durableIndex(): number {
    return this.#durableIndex
  }

  get durableTerm(): number {
    return this.#durableTerm
  }

  /** Entries from `firstIndex` on have changed in memory. */
  overwritten(firstIndex: number): void {
    if (firstIndex <= this.#durableIndex) this.#durableIndex = firstIndex - 1
  }

  begin(hardState: HardState | null, entries: readonly EntryMeta[]): Persist {
    const number = ++this.#number
    this.#pending.push({
      number,
      firstIndex: entries[0]?.index ?? null,
      term: hardState?.currentTerm ?? null,
    })
    return { number, hardState, entries }
  }

  /** The persists up to `number` have ended, where the log reaches up to `lastIndex`. */
  end(number: number, lastIndex: number): void {
    if (!Number.isSafeInteger(number) || number > this.#number) {
      violated('HOST', `persist ${number} ended, the last one begun is ${this.#number}`)
    }
    if (number <= this.#endedNumber) return
    this.#endedNumber = number
    let ended = 0
    for (const pending of this.#pending) {
      if (pending.number > number) break
      if (pending.term !== null) this.#durableTerm = pending.term
      ended++
    }
    this.#pending.splice(0, ended)
    this.#durableIndex = lastIndex
    for (const { firstIndex } of this.#pending) {
      if (firstIndex !== null) this.overwritten(firstIndex)
    }
  }

  /** A durable snapshot stands for everything up to `index`; with `replaced`, pending entries are void. */
  covered(index: number, replaced: boolean): void {
    if (replaced) {
      this.#pending = this.#pending.map((pending) => ({ ...pending, firstIndex: null }))
      this.#durableIndex = index
      return
    }
    // What the snapshot covers needs no write any more; a pending one counts only for what lies above.
    this.#pending = this.#pending.map((pending) => {
      const { firstIndex } = pending
      return firstIndex !== null && firstIndex <= index ? { ...pending, firstIndex: index + 1 } : pending
    })
    this.#durableIndex = Math.max(this.#durableIndex, index)
  }
}
