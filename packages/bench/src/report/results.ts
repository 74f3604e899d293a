// All measurements of one benchmark, and the figures that tables and targets take from them.
import { appendFileSync, writeFileSync } from 'node:fs'
import {
  type Measurement,
  type ScalarMeasurement,
  type SystemName,
  type Work,
  median,
} from '../measurement.ts'

/** Which cluster a figure is from, where several sizes were measured. */
export interface Size {
  readonly shards?: number
  readonly keys?: number
}

export class Results {
  readonly loads: Measurement[] = []
  readonly scalars: ScalarMeasurement[] = []
  readonly #file: string | undefined
  readonly #settings: Readonly<Record<string, unknown>>

  /** Each measurement goes to `file` as soon as it is made, with the settings that all have in common. */
  constructor(file: string | undefined, settings: Readonly<Record<string, unknown>>) {
    this.#file = file
    this.#settings = settings
    if (file !== undefined) writeFileSync(file, '')
  }

  readonly addLoad = (measurement: Measurement): void => {
    this.loads.push(measurement)
    this.#write(measurement)
  }

  readonly addScalar = (measurement: ScalarMeasurement): void => {
    this.scalars.push(measurement)
    this.#write(measurement)
  }

  of(system: SystemName, { kind, outstanding }: Work, { shards, keys }: Size = {}): Measurement[] {
    return this.loads.filter(
      (one) =>
        one.system === system &&
        one.kind === kind &&
        one.outstanding === outstanding &&
        (shards === undefined || one.shards === shards) &&
        (keys === undefined || one.keys === keys),
    )
  }

  /** Of the scalars of one kind, the numbers under one name; lists are joined. */
  numbers(kind: ScalarMeasurement['kind'], name: string): number[] {
    return this.scalars
      .filter((one) => one.kind === kind)
      .flatMap((one) => one[name] ?? [])
      .filter((figure) => typeof figure === 'number')
  }

  #write(measurement: Measurement | ScalarMeasurement): void {
    if (this.#file !== undefined)
      appendFileSync(this.#file, `${JSON.stringify({ ...measurement, ...this.#settings }, rounded)}\n`)
  }
}

/** Four digits: more would only pretend. */
function rounded(_: string, value: unknown): unknown {
  return typeof value === 'number' && !Number.isInteger(value) ? Number(value.toPrecision(4)) : value
}

/**
 * The median of the ratios of runs with the same number: they were made one after the other, so what else the machine did
 * is in both. Null without a pair.
 */
export function pairedRatio(
  over: readonly Measurement[],
  under: readonly Measurement[],
  read: (measurement: Measurement) => number,
): number | null {
  const ratios = over.flatMap((one) => {
    const other = under.find(({ run }) => run === one.run)
    return other === undefined ? [] : [read(one) / read(other)]
  })
  return ratios.length === 0 ? null : median(ratios)
}
