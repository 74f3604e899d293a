// What can be set of `quorate dev`.
import { integerBetween, parseBytes } from '../arguments.ts'
import type { Setting } from '../config/setting.ts'
import { logSettings, shardsMax } from '../serve/options.ts'
import { devDefaults, nodesMax } from './plan.ts'

/** What a directory remembers of its cluster has no default here: what is not typed is taken from there. */
export const devSettings: readonly Setting[] = [
  {
    path: 'nodes',
    flags: '--nodes <count>',
    description: `how many nodes (default: ${devDefaults.nodes})`,
    variable: 'QUORATE_NODES',
    parse: integerBetween(1, nodesMax),
  },
  {
    path: 'shards',
    flags: '--shards <count>',
    description: `how many shards (default: ${devDefaults.shards})`,
    variable: 'QUORATE_SHARDS',
    parse: integerBetween(1, shardsMax),
  },
  {
    path: 'maxBytes',
    flags: '--max-bytes <size>',
    description: 'what it keeps, then it evicts; 0: no limit (default: 256MiB)',
    variable: 'QUORATE_MAX_BYTES',
    parse: parseBytes,
  },
  {
    path: 'port',
    flags: '--port <port>',
    description: `first client port; peer ports are 100 above, http ports 200 (default: ${devDefaults.port})`,
    variable: 'QUORATE_PORT',
    parse: integerBetween(1, 65_535),
  },
  {
    path: 'data',
    flags: '--data <dir>',
    description: 'where the nodes keep their data',
    variable: 'QUORATE_DATA',
    standard: '.quorate',
  },
  // Their logs are files: always JSON.
  ...logSettings.filter(({ path }) => path === 'log.level'),
]
