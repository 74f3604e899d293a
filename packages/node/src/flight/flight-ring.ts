// The last inputs of a replica's core, with the state that they met: what a replay needs, in bounded memory.
import type { Input, Raft, RaftImage } from '@quorate/raft'

/**
 * Inputs of all replicas of a node between two images. Between one and two times as many are kept: some 10 MB on a busy
 * node, next to nothing on a quiet one.
 */
const INPUTS_PER_LEG = 32_768

/** What all rings of a node share: replicas that are stepped often have long rings, quiet ones short ones. */
export class FlightDeck {
  readonly #inputsPerLeg: number
  #leg = 0
  #inputs = 0

  constructor(inputsPerLeg: number = INPUTS_PER_LEG) {
    this.#inputsPerLeg = inputsPerLeg
  }

  /** Counts one input; returns the number of the leg that it belongs to. */
  count(): number {
    this.#inputs += 1
    if (this.#inputs > this.#inputsPerLeg) {
      this.#inputs = 1
      this.#leg += 1
    }
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
  #newer: Leg

  constructor(deck: FlightDeck, raft: Raft) {
    this.#deck = deck
    this.#raft = raft
    this.#newer = { number: 0, image: raft.image(), inputs: [] }
  }

  /** To be called before the core is stepped with the input, which nobody may change afterwards. */
  record(input: Input): void {
    const number = this.#deck.count()
    if (number !== this.#newer.number) {
      // Whole legs may have passed since this replica was last stepped: what it holds is its past all the same.
      this.#older = this.#newer.inputs.length === 0 ? this.#older : this.#newer
      this.#newer = { number, image: this.#raft.image(), inputs: [] }
    }
    this.#newer.inputs.push(input)
  }

  get flight(): Flight {
    const { image, inputs } = this.#older ?? this.#newer
    return { image, inputs: this.#older === null ? [...inputs] : [...inputs, ...this.#newer.inputs] }
  }
}
