// Small histories of every kind, legal or not, from a seed.
import { HistoryError } from '../history/history-error.ts'
import { History } from '../history/history.ts'
import type { HistoryRecord } from '../history/record.ts'
import type { Model } from '../models/model.ts'
import { scramble } from './damage.ts'
import { generateHistory } from './generate.ts'
import { Random } from './random.ts'

export interface RandomHistory {
  readonly history: History
  readonly records: readonly HistoryRecord[]
  /** It was recorded from a correct object. */
  readonly madeLegal: boolean
}

/** Null where a scrambled answer is none that the model knows, or nothing happened. At most `operationsMax` operations. */
export function randomHistory(model: Model, seed: number, operationsMax: number): RandomHistory | null {
  const random = new Random(seed)
  const shape = {
    model: model.name,
    operations: 1 + random.below(operationsMax),
    clients: 1 + random.below(5),
    keys: 1,
    unknown: random.pick([0, 0.2, 0.5]),
    failed: 0.05,
    positions: random.chance(0.3),
    values: random.pick([0, 0, 2, 3]),
    reads: 0.4,
    removals: random.chance(0.5),
  }
  const legal = generateHistory(shape, random)
  const madeLegal = random.chance(0.3)
  const records = madeLegal ? legal : scramble(legal, random)
  const history = load(model, records)
  return history === null || history.size === 0 ? null : { history, records, madeLegal }
}

function load(model: Model, records: readonly HistoryRecord[]): History | null {
  const history = new History(model)
  try {
    for (const [at, record] of records.entries()) history.append(record, at + 1)
  } catch (error) {
    if (error instanceof HistoryError) return null
    throw error
  }
  return history
}
