// What the checker says.
import type { Engine } from '../engines/decide.ts'

export type Verdict = 'ok' | 'illegal' | 'unknown'

/** An operation of a minimised history. */
export interface EvidencePart {
  readonly row: number
  /** Only what it wrote counts; what it had to find there is left out. */
  readonly loose: boolean
  /** It had not ended yet where the minimised history ends: it may or may not have happened. */
  readonly cut: boolean
}

/**
 * A part of the history that no order explains. It is made by steps that keep a legal history legal (leaving out what has no
 * effect, leaving out a value with everybody who saw it, ending early), so it proves that the whole is illegal.
 */
export interface Evidence {
  /** By call. */
  readonly parts: readonly EvidencePart[]
  /** Brute force has found no order either. False: it gave up. */
  readonly confirmed: boolean
  /**
   * Rows. Operations each of which, taken back alone, makes the whole history legal (one that changes nothing is left out; of
   * another the answer is disregarded). Empty where no single one does.
   */
  readonly suspects: readonly number[]
  /** The row of the operation at whose end the history first was illegal, if it was looked for. */
  readonly firstIllegal: number | null
}

export interface WitnessNote {
  readonly row: number
  readonly reason: string
}

interface OfKey {
  readonly key: string
  readonly operations: number
  readonly engine: Engine
  /** The system's own order does not explain its history, whatever another order does. */
  readonly refutedWitness: WitnessNote | null
}

export type KeyVerdict =
  | (OfKey & {
      readonly verdict: 'ok'
      /** Rows, in an order that explains them; verified. */
      readonly order: Int32Array
    })
  | (OfKey & { readonly verdict: 'illegal'; readonly evidence: Evidence })
  | (OfKey & { readonly verdict: 'unknown'; readonly reason: string })

export interface HistoryVerdict {
  /** The worst of the keys': illegal, then unknown, then ok. */
  readonly verdict: Verdict
  readonly keys: readonly KeyVerdict[]
}
