// The log of a node: one line per event, JSON for machines or one for a person to read.
import type { NodeEvent } from '@quorate/node'
import { pino } from 'pino'
import { levelOf } from './event-codes.ts'
import type { LogLevel } from './log-options.ts'

export interface LogOptions {
  readonly node: string
  readonly pretty: boolean
  readonly color: boolean
  readonly level: LogLevel
  /** Takes whole lines, at once: what was logged before the end is there after it. */
  readonly write: (line: string) => void
}

export async function createLog(options: LogOptions): Promise<(event: NodeEvent) => void> {
  const { node, pretty, color, level, write } = options
  const logger = pino(
    {
      level,
      base: { node },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    { write: pretty ? await prettyWriter(color, write) : write },
  )
  return ({ code, ...facts }) => logger[levelOf(code)]({ code, ...plain(facts) })
}

/** For people, and loaded only for them. */
async function prettyWriter(
  colorize: boolean,
  write: (line: string) => void,
): Promise<(line: string) => void> {
  const { prettyFactory } = await import('pino-pretty')
  const prettify = prettyFactory({
    colorize,
    messageKey: 'code',
    translateTime: 'SYS:HH:MM:ss.l',
    singleLine: true,
    ignore: 'node',
  })
  return (line) => {
    const shown: unknown = prettify(line)
    write(typeof shown === 'string' ? shown : line)
  }
}

/** An Error's fields are not enumerable: JSON would show `{}`. It has no integers beyond 2^53 either. */
function plain(facts: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(facts).map(([name, fact]) => [
      name,
      fact instanceof Error
        ? `${fact.name}: ${fact.message}`
        : typeof fact === 'bigint'
          ? String(fact)
          : fact,
    ]),
  )
}
