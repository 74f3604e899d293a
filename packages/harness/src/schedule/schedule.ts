/**
 * A schedule of faults as text: one fault a line, `time kind name=value ...`, the time in seconds since the load began.
 * Lines that begin with `#` and empty ones say nothing. Every argument of a kind is written, each once, in any order.
 */
import type { FaultKind } from '../simulation/swarm.ts'
import type { ArgumentType } from './argument.ts'
import { type FaultArguments, faultShapes } from './fault-shapes.ts'

export interface ScheduledFault<Kind extends FaultKind = FaultKind> {
  /** Since the load began; whole. */
  readonly atMs: number
  readonly kind: Kind
  readonly arguments: FaultArguments[Kind]
}

export type ScheduleErrorCode =
  | 'BAD_TIME'
  | 'NOT_ASCENDING'
  | 'UNKNOWN_KIND'
  | 'UNKNOWN_ARGUMENT'
  | 'BAD_ARGUMENT'
  | 'REPEATED_ARGUMENT'
  | 'MISSING_ARGUMENT'
  | 'OVERLAP'

/** A schedule that cannot be followed. `line` counts from 1. */
export class ScheduleError extends Error {
  override readonly name = 'ScheduleError'
  readonly code: ScheduleErrorCode
  readonly line: number

  constructor(code: ScheduleErrorCode, line: number, message: string) {
    super(`line ${line} of the schedule: ${message}`)
    this.code = code
    this.line = line
  }
}

const TIME = /^(\d{1,9})(?:\.(\d{1,3}))?$/

/** The text that `parseSchedule` reads; one line for each fault. */
export function formatSchedule(faults: readonly ScheduledFault[]): string {
  return faults.map((fault) => `${(fault.atMs / 1000).toFixed(3)} ${formatFault(fault)}\n`).join('')
}

/** Kind and arguments. */
export function formatFault({ kind, arguments: given }: Omit<ScheduledFault, 'atMs'>): string {
  const shape: Readonly<Record<string, ArgumentType<unknown>>> = faultShapes[kind]
  const values = new Map<string, unknown>(Object.entries(given))
  const words = Object.entries(shape).map(([name, type]) => `${name}=${type.format(values.get(name))}`)
  return [kind, ...words].join(' ')
}

/** Throws ScheduleError at the first line that cannot be followed. */
export function parseSchedule(text: string): ScheduledFault[] {
  const faults: ScheduledFault[] = []
  const ends = new Map<string, number>()
  for (const [index, content] of text.split('\n').entries()) {
    const words = content.trim().split(/\s+/)
    if (words[0] === '' || words[0]?.startsWith('#') === true) continue
    const fault = parseFault(words, index + 1)
    if (fault.atMs < (faults.at(-1)?.atMs ?? 0))
      throw new ScheduleError('NOT_ASCENDING', index + 1, 'earlier than the line before it')
    const family = familyOf(fault.kind)
    if (fault.atMs < (ends.get(family) ?? 0))
      throw new ScheduleError('OVERLAP', index + 1, `another ${family} fault is not over yet`)
    ends.set(family, fault.atMs + durationOf(fault))
    faults.push(fault)
  }
  return faults
}

/** How long the fault lasts, ms; 0 where it is over as soon as it has happened. */
export function durationOf({ arguments: given }: ScheduledFault): number {
  return 'for' in given ? given.for : 0
}

/** Two faults of one family would undo each other: all crashes are one, all partitions another, all clocks a third. */
export function familyOf(kind: FaultKind): string {
  if (kind.startsWith('crash') || kind.startsWith('power')) return 'crash'
  if (kind === 'bit-rot' || kind === 'wipe' || kind === 'old-copy') return 'crash'
  if (kind.endsWith('clock')) return 'clock'
  if (kind.startsWith('partition') || kind === 'slow-link' || kind === 'swizzle') return 'partition'
  return kind
}

function parseFault([time = '', kind = '', ...words]: readonly string[], line: number): ScheduledFault {
  const [, seconds, decimals] = TIME.exec(time) ?? []
  if (seconds === undefined)
    throw new ScheduleError('BAD_TIME', line, `${time} is no time: write seconds, as in 12.345`)
  if (!isKind(kind)) throw new ScheduleError('UNKNOWN_KIND', line, `no fault is called ${kind}`)
  const atMs = Number(seconds) * 1000 + Number((decimals ?? '').padEnd(3, '0'))
  return { atMs, kind, arguments: parseArguments(kind, words, line) }
}

function parseArguments<Kind extends FaultKind>(
  kind: Kind,
  words: readonly string[],
  line: number,
): FaultArguments[Kind] {
  const shape = new Map<string, ArgumentType<unknown>>(Object.entries(faultShapes[kind]))
  const given = new Map<string, unknown>()
  for (const word of words) {
    const [name = '', ...rest] = word.split('=')
    const type = shape.get(name)
    if (type === undefined)
      throw new ScheduleError(
        'UNKNOWN_ARGUMENT',
        line,
        `${kind} takes no ${name}: ${[...shape.keys()].join(', ')}`,
      )
    if (given.has(name)) throw new ScheduleError('REPEATED_ARGUMENT', line, `${name} is written twice`)
    const value = type.parse(rest.join('='))
    if (value === undefined)
      throw new ScheduleError('BAD_ARGUMENT', line, `${word}: ${name} is ${type.description}`)
    given.set(name, value)
  }
  const missing = [...shape.keys()].filter((name) => !given.has(name))
  if (missing.length > 0)
    throw new ScheduleError('MISSING_ARGUMENT', line, `${kind} needs ${missing.join(', ')} as well`)
  // Every name of the shape is there with a value of its type, and no other: what the type says.
  return Object.fromEntries(given) as unknown as FaultArguments[Kind]
}

function isKind(text: string): text is FaultKind {
  return Object.hasOwn(faultShapes, text)
}
