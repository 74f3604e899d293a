// The values that a fault's arguments can have, and how each is written in a schedule.

export interface ArgumentType<Value> {
  /** For whoever wrote something else. */
  readonly description: string
  /** Undefined where the text is no such value. */
  parse(text: string): Value | undefined
  format(value: Value): string
}

/** A part of a list cannot hold what separates parts, arguments or lines. */
const NAME = /^[a-z][a-z0-9-]*$/
/** More than this is a slip of the pen, and no list of a run is as long. */
const LIST_MAX = 1_000
const RATE_DECIMALS = 3

export const whole: ArgumentType<number> = {
  description: 'a whole number from 0 up',
  parse: (text) => {
    const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN
    return Number.isSafeInteger(value) ? value : undefined
  },
  format: String,
}

/** Milliseconds; whole, so that what is printed is what was. */
export const milliseconds: ArgumentType<number> = { ...whole, description: 'milliseconds, a whole number' }

/** May be below 0. */
export const offset: ArgumentType<number> = {
  description: 'milliseconds, a whole number with or without a minus',
  parse: (text) => {
    const value = whole.parse(text.replace(/^-/, ''))
    if (value === undefined || !text.startsWith('-')) return value
    return value === 0 ? undefined : -value
  },
  format: String,
}

/** A speed, probability or mean. */
export const rate: ArgumentType<number> = {
  description: `a number from 0 up with at most ${RATE_DECIMALS} decimals`,
  parse: (text) => (/^\d{1,9}(\.\d{1,3})?$/.test(text) ? Number(text) : undefined),
  format: String,
}

/** As `rate` writes it. */
export function asRate(value: number): number {
  return Number(value.toFixed(RATE_DECIMALS))
}

export const flag: ArgumentType<boolean> = {
  description: 'yes or no',
  parse: (text) => (text === 'yes' ? true : text === 'no' ? false : undefined),
  format: (value) => (value ? 'yes' : 'no'),
}

/** Of a node or client. */
export const processName: ArgumentType<string> = {
  description: 'the name of a process',
  parse: (text) => (NAME.test(text) ? text : undefined),
  format: (value) => value,
}

export const wholeOrNever: ArgumentType<number | null> = {
  description: `${whole.description}, or never`,
  parse: (text) => (text === 'never' ? null : whole.parse(text)),
  format: (value) => (value === null ? 'never' : whole.format(value)),
}

export function oneOf<Word extends string>(words: readonly Word[]): ArgumentType<Word> {
  return {
    description: words.join(' or '),
    parse: (text) => words.find((word) => word === text),
    format: (value) => value,
  }
}

/** With commas between the parts; at least one. */
export function listOf<Value>(part: ArgumentType<Value>): ArgumentType<readonly Value[]> {
  return {
    description: `a list, with commas, of: ${part.description}`,
    parse: (text) => {
      const texts = text.split(',')
      if (texts.length > LIST_MAX) return undefined
      const values: Value[] = []
      for (const one of texts) {
        const value = part.parse(one)
        if (value === undefined) return undefined
        values.push(value)
      }
      return values
    },
    format: (values) => values.map((value) => part.format(value)).join(','),
  }
}
