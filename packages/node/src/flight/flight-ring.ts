// The last inputs of a replica's core, with the state that they met: what a replay needs, in bounded memory.
import type { Input, Raft, RaftImage } from '@quorate/raft'

/**
 * What all replicas of a node record between two images, in inputs; every entry that an append names counts as one more.
 * Between one and two times as much is kept: some 10 MB on a busy node, next to nothing on a quiet one.
 */
const INPUTS_PER_LEG = 32_768

/** What all rings of a node share: replicas that are stepped often have long rings, quiet ones short ones. */
export class FlightDeck {
  readonly #inputsPerLeg: number
  #leg = 0
  #inputs = 0
  /** Those that hold inputs: of this leg or the one before. */
  readonly #rings = new Set<FlightRing>()

  constructor(inputsPerLeg: number = INPUTS_PER_LEG) {
    this.#inputsPerLeg = inputsPerLeg
  }

  /** Counts one input of a ring; returns the number of the leg that it belongs to. */
  count(ring: FlightRing, weight: number): number {
    this.#inputs += weight
    if (this.#inputs > this.#inputsPerLeg) {
      this.#inputs = weight
      this.#leg += 1
      // Also of those that are not stepped any more: else each of many replicas would keep what its busiest time left.
      for (const other of this.#rings) if (!other.forgetBefore(this.#leg - 1)) this.#rings.delete(other)
    }
    this.#rings.add(ring)
    return this.#leg
  }
}

interface Leg {
  readonly number: number
  readonly image: RaftImage
  readonly inputs: Input[]
}

export interface Flight {
  readonly image: RaftImage
  /** All that came since the image, in order; the last one may have broken an invariant. */
  readonly inputs: readonly Input[]
}

export class FlightRing {
  readonly #deck: FlightDeck
  readonly #raft: Raft
  #older: Leg | null = null
  #newer: Leg | null = null

  constructor(deck: FlightDeck, raft: Raft) {
    this.#deck = deck
    this.#raft = raft
  }

  /** To be called before the core is stepped with the input, which nobody may change afterwards. */
  record(input: Input): void {
    const number = this.#deck.count(this, weightOf(input))
    let leg = this.#newer
    if (leg?.number !== number) {
      this.#older = leg
      leg = { number, image: this.#raft.image(), inputs: [] }
      this.#newer = leg
    }
    leg.inputs.push(input)
  }

  /** Legs below `number` are forgotten. False: nothing is left. */
  forgetBefore(number: number): boolean {
    if (this.#older !== null && this.#older.number < number) this.#older = null
    if (this.#newer !== null && this.#newer.number < number) this.#newer = null
    return this.#newer !== null
  }

  get flight(): Flight {
    const newer = this.#newer
    // Nothing came since it was forgotten: what the core is now is what it was then.
    if (newer === null) return { image: this.#raft.image(), inputs: [] }
    const { image, inputs } = this.#older ?? newer
    return { image, inputs: this.#older === null ? [...inputs] : [...inputs, ...newer.inputs] }
  }
}

function weightOf(input: Input): number {
  return input.type === 'message' && input.message.type === 'appendRequest'
    ? 1 + input.message.entries.length
    : 1
}
