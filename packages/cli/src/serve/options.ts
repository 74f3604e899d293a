// The flags of `quorate serve`.
import { type Command, Option } from 'commander'
import { integerBetween, parseAddress, parseAddresses, parseBootstrap, parseNodeName } from '../arguments.ts'

export interface ServeFlags {
  readonly id: string
  readonly data: string
  readonly listen: string
  readonly peerListen: string
  readonly bootstrap?: readonly { name: string; address: string }[]
  readonly join?: readonly string[]
  readonly shards?: number
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

const shardsMax = 1024

/** Settings that tests make small; flags of the same name that `--help` does not show. */
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

export function addServeOptions(command: Command): Command {
  command
    .addOption(
      required('--id <name>', 'name of this node, unique in the cluster', 'QUORATE_ID', parseNodeName),
    )
    .addOption(required('--data <dir>', 'its data directory', 'QUORATE_DATA', (text) => text))
    .addOption(required('--listen <host:port>', 'where clients reach it', 'QUORATE_LISTEN', parseAddress))
    .addOption(
      required(
        '--peer-listen <host:port>',
        'where other nodes reach it',
        'QUORATE_PEER_LISTEN',
        parseAddress,
      ),
    )
    .addOption(
      new Option(
        '--bootstrap <nodes>',
        'n1=host:port,...: the first nodes; read only while the directory is blank',
      )
        .env('QUORATE_BOOTSTRAP')
        .argParser(parseBootstrap)
        .conflicts('join'),
    )
    .addOption(
      new Option(
        '--join <addresses>',
        'host:port,...: peers of a cluster to join while the directory is blank',
      )
        .env('QUORATE_JOIN')
        .argParser(parseAddresses),
    )
    .addOption(
      new Option('--shards <count>', 'how many shards a new cluster gets (default: 8)')
        .env('QUORATE_SHARDS')
        .argParser(integerBetween(1, shardsMax)),
    )
    .addOption(new Option('--stop-on-stdin-end').hideHelp())
    .addOption(
      new Option('--allow-test-admin', 'clients may change members: for fault tests only').hideHelp(),
    )
  for (const name of settingNames) {
    const flag = name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
    const option = new Option(`--${flag} <number>`).hideHelp()
    command.addOption(option.argParser(integerBetween(0, Number.MAX_SAFE_INTEGER)))
  }
  return command
}

function required(
  flags: string,
  description: string,
  variable: string,
  parse: (text: string) => string,
): Option {
  return new Option(flags, description).env(variable).argParser(parse).makeOptionMandatory()
}
