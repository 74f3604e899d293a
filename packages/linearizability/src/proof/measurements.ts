// The figures that the checker promises, each a measurement of its own.
import { spawnSync } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import process from 'node:process'
import { problemOf } from '../engines/problem.ts'
import { History } from '../history/history.ts'
import type { HistoryRecord } from '../history/record.ts'
import { subjectOf } from '../history/subject.ts'
import type { Model } from '../models/model.ts'
import { modelNamed } from '../models/models.ts'
import { bruteForce } from '../verdict/brute-force.ts'
import { checkHistory } from '../verdict/check.ts'
import { flipRead } from './damage.ts'
import { formatRecord, generateHistory, type HistoryShape } from './generate.ts'
import { Random } from './random.ts'
import { randomHistory } from './random-history.ts'

export interface Agreement {
  readonly checked: number
  readonly illegal: number
  /** Seeds on which engines and brute force differ, or a recorded history was found illegal. */
  readonly differing: readonly number[]
}

/** As many histories of at most 8 operations as asked for, from seed 1 on. */
export function compareWithBruteForce(model: Model, histories: number): Agreement {
  const differing: number[] = []
  let [checked, illegal] = [0, 0]
  for (let seed = 1; checked < histories; seed += 1) {
    const made = randomHistory(model, seed, 8)
    if (made === null) continue
    checked += 1
    const { verdict } = checkHistory(made.history)
    const [rows = new Int32Array()] = made.history.rowsByKey()
    const truth = bruteForce(problemOf(subjectOf(made.history, rows)))
    if (truth === 'illegal') illegal += 1
    if (verdict !== truth || (made.madeLegal && truth !== 'ok')) differing.push(seed)
  }
  return { checked, illegal, differing }
}

const plain: HistoryShape = {
  model: 'register',
  operations: 2_000,
  clients: 10,
  keys: 1,
  unknown: 0.08,
  failed: 0.02,
  positions: false,
  values: 0,
  reads: 0.5,
  removals: false,
}

export interface WrongRead {
  readonly seconds: number
  readonly verdict: string
  /** The report blames the read that was changed, and nothing else. */
  readonly pointsAtIt: boolean
  readonly confirmed: boolean
}

/** 2,000 operations of unique values, 8 % of unknown outcome, one read answered wrongly. */
export function checkWrongRead(model: Model, seed: number, operations: number = plain.operations): WrongRead {
  const random = new Random(seed)
  const damaged = flipRead(generateHistory({ ...plain, model: model.name, operations }, random), random)
  if (damaged === null) throw new Error(`seed ${seed} reads nothing`)
  const history = new History(model)
  for (const [at, record] of damaged.records.entries()) history.append(record, at + 1)
  const started = performance.now()
  const { verdict, keys } = checkHistory(history)
  const seconds = (performance.now() - started) / 1_000
  const [key] = keys
  const evidence = key?.verdict === 'illegal' ? key.evidence : null
  const lines = evidence?.suspects.map((row) => history.row(row).line) ?? []
  const pointsAtIt = lines.length === 1 && lines[0] === damaged.at + 1
  return { seconds, verdict, pointsAtIt, confirmed: evidence?.confirmed === true }
}

export interface LongRun {
  readonly verdict: string
  readonly engine: string
  readonly seconds: number
  readonly cpuSeconds: number
  readonly rssMiB: number
}

/** A register of one key from a file, each run a process of its own. */
export function checkLongHistory(operations: number, positions: boolean, runs: number): LongRun[] {
  const directory = mkdtempSync(path.join(tmpdir(), 'quorate-check-'))
  const file = path.join(directory, 'history.jsonl')
  try {
    writeHistory(
      file,
      generateHistory({ ...plain, operations, unknown: 0.001, failed: 0.001, positions }, new Random(7)),
    )
    return Array.from({ length: runs }, () => runOnce(file))
  } finally {
    rmSync(directory, { recursive: true })
  }
}

function runOnce(file: string): LongRun {
  const program = path.join(import.meta.dirname, '..', 'main-measured.js')
  const started = performance.now()
  const { stdout, stderr } = spawnSync(process.execPath, [program, file, '--model', 'register', '--json'], {
    encoding: 'utf8',
  })
  const seconds = (performance.now() - started) / 1_000
  const { verdict, engines } = JSON.parse(stdout) as { verdict: string; engines: Record<string, number> }
  const { cpuSeconds, rssMiB } = JSON.parse(stderr) as { cpuSeconds: number; rssMiB: number }
  return { verdict, engine: Object.keys(engines).join(), seconds, cpuSeconds, rssMiB }
}

function writeHistory(target: string, records: readonly HistoryRecord[]): void {
  const lines = 10_000
  const file = openSync(target, 'w')
  for (let from = 0; from < records.length; from += lines)
    writeSync(
      file,
      records
        .slice(from, from + lines)
        .map((record) => `${formatRecord(record)}\n`)
        .join(''),
    )
  closeSync(file)
}

export function namedModel(name: string): Model {
  const model = modelNamed(name)
  if (model === undefined) throw new Error(`there is no model ${name}`)
  return model
}
