// A checker of linearizability for histories of operations on keys. See README.md for the format, the models and the engines.
export type { BudgetOptions } from './engines/budget.ts'
export type { Engine } from './engines/decide.ts'
export { HistoryError } from './history/history-error.ts'
export { History, type Row } from './history/history.ts'
export type { JsonValue } from './history/json-value.ts'
export { LineSplitter, readHistory } from './history/read-history.ts'
export { type HistoryRecord, type Outcome, parseRecord } from './history/record.ts'
export type { Coded, Machine, Model, ValueEffect } from './models/model.ts'
export { modelNamed, models } from './models/models.ts'
export { type CheckOptions, checkHistory } from './verdict/check.ts'
export type {
  Evidence,
  EvidencePart,
  HistoryVerdict,
  KeyVerdict,
  Verdict,
  WitnessNote,
} from './verdict/verdict.ts'
export { verifyOrder } from './verdict/verify-order.ts'
