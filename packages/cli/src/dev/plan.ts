// What `quorate dev` starts: names, addresses, directories and commands, worked out before anything happens.
import path from 'node:path'
import { binPath, shellCommand } from '../bin-path.ts'
import { UsageError } from '../exit-code.ts'
import type { LogLevel } from '../serve/log-options.ts'

export interface DevOptions {
  readonly nodes: number
  readonly shards: number
  /** The first client port; each further node has the next one. */
  readonly port: number
  /** What the cluster keeps, bytes; 0 = no limit. */
  readonly maxBytes: number
}

export const devDefaults: DevOptions = { nodes: 3, shards: 8, port: 7400, maxBytes: 268_435_456 }

/** Peer ports are this far above client ports, and those for operators above them, so there can be no more nodes than this. */
const peerPortOffset = 100
const httpPortOffset = 200
export const nodesMax = 100
const host = '127.0.0.1'
const portMax = 65_535

export interface PlannedNode {
  readonly id: string
  readonly clientAddress: string
  readonly peerAddress: string
  readonly httpAddress: string
  readonly logFile: string
  /** Arguments of `quorate` that start it. */
  readonly args: readonly string[]
  /** The same as a line for a shell. */
  readonly command: string
}

export function planNodes(
  { nodes, shards, port, maxBytes }: DevOptions,
  data: string,
  logLevel: LogLevel = 'info',
): PlannedNode[] {
  if (port + httpPortOffset + nodes - 1 > portMax)
    throw new UsageError(
      `--port ${port} leaves no room for ${nodes} nodes`,
      `ports for operators are ${httpPortOffset} above client ports, and ports end at ${portMax}`,
    )
  const names = Array.from({ length: nodes }, (_, index) => ({
    id: `n${index + 1}`,
    clientAddress: `${host}:${port + index}`,
    peerAddress: `${host}:${port + peerPortOffset + index}`,
    httpAddress: `${host}:${port + httpPortOffset + index}`,
  }))
  const bootstrap = names.map(({ id, peerAddress }) => `${id}=${peerAddress}`).join(',')
  return names.map(({ id, clientAddress, peerAddress, httpAddress }) => {
    const directory = path.resolve(data, id)
    const addresses = ['--listen', clientAddress, '--peer-listen', peerAddress, '--http', httpAddress]
    const args = ['serve', '--id', id, '--data', directory, ...addresses, '--bootstrap', bootstrap]
    args.push('--shards', String(shards), '--max-bytes', String(maxBytes))
    args.push('--log-format', 'json', '--log-level', logLevel)
    const command = shellCommand([process.execPath, binPath, ...args])
    return {
      id,
      clientAddress,
      peerAddress,
      httpAddress,
      args,
      command,
      logFile: path.resolve(data, `${id}.log`),
    }
  })
}

/** Every port that the nodes will listen on. */
export function portsOf({ nodes, port }: Pick<DevOptions, 'nodes' | 'port'>): number[] {
  return Array.from({ length: nodes }, (_, index) => index).flatMap((index) => [
    port + index,
    port + peerPortOffset + index,
    port + httpPortOffset + index,
  ])
}
