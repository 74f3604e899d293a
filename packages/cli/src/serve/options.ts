// What can be set of `quorate serve`.
import { type Command, Option } from 'commander'
import {
  integerBetween,
  parseAddress,
  parseAddresses,
  parseBootstrap,
  parseBytes,
  parseNodeName,
} from '../arguments.ts'
import { addSettings, type Setting } from '../config/setting.ts'
import { logFormats, logLevels } from './log-options.ts'

export interface ServeFlags {
  readonly id: string
  readonly data: string
  readonly listen: string
  readonly peerListen: string
  readonly http?: string
  readonly insecureNetwork?: boolean
  readonly bootstrap?: readonly { name: string; address: string }[]
  readonly join?: readonly string[]
  readonly shards?: number
  readonly maxBytes?: number
  readonly logFormat: (typeof logFormats)[number]
  readonly logLevel: (typeof logLevels)[number]
  readonly stopOnStdinEnd?: true
  readonly segmentBytes?: number
  readonly retainBytes?: number
  readonly checkpointLogBytes?: number
  readonly checkpointMsMin?: number
  readonly checkpointMsMax?: number
  readonly snapshotChunkBytes?: number
  readonly stateHashEvery?: number
  readonly balanceLeadersMs?: number
  readonly allowTestAdmin?: true
}

export const shardsMax = 1024
/** Of a new cluster. */
export const SHARDS_DEFAULT = 8

/** Settings of a node that tests make small; flags of the same name that `--help` does not show. */
export const settingNames = [
  'segmentBytes',
  'retainBytes',
  'checkpointLogBytes',
  'checkpointMsMin',
  'checkpointMsMax',
  'snapshotChunkBytes',
  'stateHashEvery',
  'balanceLeadersMs',
] as const

export const logSettings: readonly Setting[] = [
  {
    path: 'log.format',
    flags: '--log-format <format>',
    description: 'auto is pretty on a terminal, else JSON',
    variable: 'QUORATE_LOG_FORMAT',
    choices: logFormats,
    standard: 'auto',
  },
  {
    path: 'log.level',
    flags: '--log-level <level>',
    description: 'the least that is logged',
    variable: 'QUORATE_LOG_LEVEL',
    choices: logLevels,
    standard: 'info',
  },
]

const placeSettings: readonly Setting[] = [
  {
    path: 'id',
    flags: '--id <name>',
    description: 'name of this node, unique in the cluster',
    variable: 'QUORATE_ID',
    parse: parseNodeName,
    required: true,
  },
  {
    path: 'data',
    flags: '--data <dir>',
    description: 'its data directory',
    variable: 'QUORATE_DATA',
    required: true,
  },
  {
    path: 'listen',
    flags: '--listen <host:port>',
    description: 'where clients reach it',
    variable: 'QUORATE_LISTEN',
    parse: parseAddress,
    required: true,
  },
  {
    path: 'peerListen',
    flags: '--peer-listen <host:port>',
    description: 'where other nodes reach it',
    variable: 'QUORATE_PEER_LISTEN',
    parse: parseAddress,
    required: true,
  },
  {
    path: 'http',
    flags: '--http <host:port>',
    description: 'where operators reach /healthz, /readyz and /metrics; off unless given',
    variable: 'QUORATE_HTTP',
    parse: parseAddress,
  },
  {
    path: 'insecureNetwork',
    flags: '--insecure-network',
    description:
      'listen on other than loopback addresses, though nothing is encrypted and nobody is asked who he is',
    variable: 'QUORATE_INSECURE_NETWORK',
  },
]

const clusterSettings: readonly Setting[] = [
  {
    path: 'bootstrap',
    flags: '--bootstrap <nodes>',
    description: 'n1=host:port,...: the first nodes; read only while the directory is blank',
    variable: 'QUORATE_BOOTSTRAP',
    parse: parseBootstrap,
    inFile: 'mapping',
  },
  {
    path: 'join',
    flags: '--join <addresses>',
    description: 'host:port,...: peers of a cluster to join while the directory is blank',
    variable: 'QUORATE_JOIN',
    parse: parseAddresses,
    inFile: 'list',
  },
  {
    path: 'shards',
    flags: '--shards <count>',
    description: 'how many shards a new cluster gets (default: 8)',
    variable: 'QUORATE_SHARDS',
    parse: integerBetween(1, shardsMax),
  },
  {
    path: 'maxBytes',
    flags: '--max-bytes <size>',
    description: 'what a new cluster keeps, then it evicts: 4GiB (default: no limit)',
    variable: 'QUORATE_MAX_BYTES',
    parse: parseBytes,
  },
]

const tuningSettings: readonly Setting[] = settingNames.map((name) => ({
  path: `tuning.${name}`,
  flags: `--${name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)} <number>`,
  description: '',
  variable: null,
  parse: integerBetween(0, Number.MAX_SAFE_INTEGER),
  hidden: true,
}))

export const serveSettings: readonly Setting[] = [
  ...placeSettings,
  ...clusterSettings,
  ...logSettings,
  ...tuningSettings,
]

export function addServeOptions(command: Command): Command {
  return addSettings(command, serveSettings)
    .addOption(new Option('--stop-on-stdin-end').hideHelp())
    .addOption(
      new Option('--allow-test-admin', 'clients may change members: for fault tests only').hideHelp(),
    )
}
