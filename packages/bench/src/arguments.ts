// The flags of `npm run bench`.
import process from 'node:process'
import { parseArgs } from 'node:util'
import type { LoadKind, SystemName, Work } from './measurement.ts'

export interface BenchOptions {
  readonly systems: readonly SystemName[]
  readonly works: readonly Work[]
  readonly runs: number
  readonly measuredMs: number
  readonly warmMs: number
  readonly keys: number
  readonly valueBytes: number
  readonly shards: number
  readonly seed: number
  /** Leaders that are killed to see how long their shards stand still. */
  readonly kills: number
  readonly json: string | undefined
  readonly directory: string | undefined
  /** Where CPU profiles of Quorate's servers and client go. */
  readonly profile: string | undefined
  /** Missing packages may be installed. */
  readonly install: boolean
  /** An unmet first target is a failure. */
  readonly check: boolean
  readonly scale: boolean
  readonly scaleShards: readonly number[]
  readonly scaleKeys: readonly number[]
  readonly idleShards: number
  readonly restartKeys: number
}

/** Bounds every loop of a benchmark. */
const SECONDS_MAX = 60

const systems: readonly string[] = ['quorate', 'ceiling', 'etcd']

/** @throws on a flag that is unknown or has no sense. */
export function parseBenchOptions(args: readonly string[]): BenchOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      systems: { type: 'string', default: systems.join(',') },
      lines: { type: 'string', default: 'write-1,write-256,write-1024,read-1,read-256' },
      runs: { type: 'string', default: '5' },
      seconds: { type: 'string', default: '4' },
      warm: { type: 'string', default: '1' },
      keys: { type: 'string', default: '10000' },
      value: { type: 'string', default: '128' },
      shards: { type: 'string', default: '8' },
      seed: { type: 'string', default: '1' },
      kills: { type: 'string', default: '6' },
      json: { type: 'string' },
      directory: { type: 'string' },
      profile: { type: 'string' },
      system: { type: 'boolean', default: process.env['CI'] === 'true' },
      check: { type: 'boolean', default: false },
      scale: { type: 'boolean', default: false },
      'scale-shards': { type: 'string', default: '8,64,256,1024' },
      'scale-keys': { type: 'string', default: '10000,1000000,10000000' },
      'idle-shards': { type: 'string', default: '1000' },
      'restart-keys': { type: 'string', default: '1000000' },
    },
  })
  return {
    systems: list(values.systems).map(systemNamed),
    works: list(values.lines).map(workNamed),
    runs: whole('runs', values.runs, 1),
    measuredMs: milliseconds('seconds', values.seconds),
    warmMs: milliseconds('warm', values.warm),
    keys: whole('keys', values.keys, 1),
    valueBytes: whole('value', values.value, 1),
    shards: whole('shards', values.shards, 1),
    seed: whole('seed', values.seed, 0),
    kills: whole('kills', values.kills, 0),
    json: values.json,
    directory: values.directory,
    profile: values.profile,
    install: values.system,
    check: values.check,
    scale: values.scale,
    scaleShards: list(values['scale-shards']).map((text) => whole('scale-shards', text, 1)),
    scaleKeys: list(values['scale-keys']).map((text) => whole('scale-keys', text, 1)),
    idleShards: whole('idle-shards', values['idle-shards'], 0),
    restartKeys: whole('restart-keys', values['restart-keys'], 0),
  }
}

function list(text: string): string[] {
  return text.split(',').filter((item) => item !== '')
}

function systemNamed(name: string): SystemName {
  if (!systems.includes(name)) throw new Error(`--systems knows ${systems.join(', ')}, not ${name}`)
  return name as SystemName
}

function workNamed(name: string): Work {
  const match = /^(write|read)-(\d+)$/.exec(name)
  if (match === null) throw new Error(`--lines are like write-256 or read-1, not ${name}`)
  return { kind: match[1] as LoadKind, outstanding: whole('lines', match[2] ?? '', 1) }
}

function whole(flag: string, text: string, min: number): number {
  const number = Number(text)
  if (!Number.isSafeInteger(number) || number < min)
    throw new Error(`--${flag} is a whole number from ${min}, not ${text}`)
  return number
}

function milliseconds(flag: string, text: string): number {
  const seconds = Number(text)
  if (!(seconds > 0 && seconds <= SECONDS_MAX))
    throw new Error(`--${flag} is more than 0 and at most ${SECONDS_MAX}, not ${text}`)
  return Math.round(seconds * 1_000)
}
