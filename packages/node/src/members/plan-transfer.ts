// Which leadership a node should hand over so that every node leads about as many shards: pure, with hysteresis.
import type { DirId } from '@quorate/protocol'

/** What a node knows when it looks at the shards that it leads. */
export interface LeaderView {
  /** How many it leads itself. */
  readonly leads: number
  /** How many each other node leads, as it said lately; a node that said nothing is in no transfer. */
  readonly loads: ReadonlyMap<DirId, number>
  readonly shards: readonly LedShard[]
}

export interface LedShard {
  readonly group: number
  /** Nodes of its voters that could lead now: caught up, answering, with space. */
  readonly heirs: readonly DirId[]
}

export interface Transfer {
  readonly group: number
  readonly to: DirId
}

/**
 * A difference of one is as even as an odd number allows, and a transfer over a difference of two ends in none: so what
 * was handed over is never handed back, and every transfer lowers the sum of squares.
 */
const DIFFERENCE_MIN = 2

/** At most one transfer, to the heir that leads the fewest; null where nothing would become more even. */
export function planTransfer({ leads, loads, shards }: LeaderView): Transfer | null {
  let best: Transfer | null = null
  let fewest = leads - DIFFERENCE_MIN + 1
  for (const { group, heirs } of shards)
    for (const to of heirs) {
      const load = loads.get(to)
      if (load === undefined || load >= fewest) continue
      fewest = load
      best = { group, to }
    }
  return best
}
