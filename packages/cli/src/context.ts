// What a command may touch: the terminal, a way to reach a cluster, and the wish of the user to stop.
import type {
  ConditionalResult,
  Entry,
  NodeReport,
  ReadOptions,
  ShardMap,
  TtlOption,
  Written,
} from '@quorate/client'
import type { Command } from 'commander'
import type { ExitCode } from './exit-code.ts'

export interface CliContext {
  /** Answers. Written as given, without a line end of its own. */
  readonly out: (text: string) => void
  /** Progress, warnings and failures. */
  readonly err: (text: string) => void
  /** Aborted by the first Ctrl-C or SIGTERM. */
  readonly signal: AbortSignal
  readonly screen: Screen
  readonly connect: (endpoints: readonly string[], options: CallOptions) => Promise<Cache>
}

/** What the two streams are: some things are shown to people only. */
export interface Screen {
  readonly outIsTerminal: boolean
  readonly errIsTerminal: boolean
  /** Of the terminal; 80 and 24 where there is none. */
  readonly columns: number
  readonly rows: number
}

export interface CallOptions {
  /** Milliseconds for the whole operation, retries included. */
  readonly timeout: number
  readonly signal: AbortSignal
}

/** What the commands need of a client: a part of what `connect` of `@quorate/client` gives. */
export interface Cache {
  getEntry(
    key: string,
    options: CallOptions & Pick<ReadOptions, 'consistency' | 'maxAge'>,
  ): Promise<CacheEntry | undefined>
  /** Without a condition there is nothing to lose, and the answer says only the version. */
  set(
    key: string,
    value: unknown,
    options: CallOptions & WriteCondition & TtlOption,
  ): Promise<Written | ConditionalResult>
  del(key: string, options: CallOptions): Promise<boolean>
  touch(key: string, ttl: number, options: CallOptions): Promise<boolean>
  persist(key: string, options: CallOptions): Promise<boolean>
  incr(key: string, by: number, options: CallOptions): Promise<number>
  shardMap(): ShardMap
  status(options: CallOptions): Promise<readonly NodeReport[]>
  close(): Promise<void>
}

export type CacheEntry = Pick<Entry, 'value' | 'version'> & Partial<Pick<Entry, 'expiresAt' | 'age'>>

/** At most one of the three. */
export interface WriteCondition {
  readonly ifVersion?: number
  readonly ifAbsent?: boolean
  readonly ifPresent?: boolean
}

/** Adds a command to the program; `finish` tells the exit code of the one that ran. */
export type AddCommand = (program: Command, context: CliContext, finish: (code: ExitCode) => void) => void
