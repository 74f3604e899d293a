// Composes a node of real parts and runs it in this process.
import {
  createNode,
  type NodeEvent,
  type NodeOptions,
  type NodeSettings,
  type QuorateNode,
} from '@quorate/node'
import { createRealRuntime } from '@quorate/runtime'
import { openLevelStateStore } from '@quorate/storage'
import { createWebSocketNetwork } from '@quorate/transport'
import { setTimeout as sleep } from 'node:timers/promises'
import { faultOfMaxBytes } from '../arguments.ts'
import { useColor } from '../color.ts'
import type { CliContext } from '../context.ts'
import { type ExitCode, exitCodes, UsageError } from '../exit-code.ts'
import { onStopSignals } from '../stop-signals.ts'
import { createLog } from './log.ts'
import { type ServeFlags, settingNames, SHARDS_DEFAULT } from './options.ts'
import { type Process, runNode } from './run-node.ts'

/** @throws UsageError for numbers that contradict each other, before anything is opened. */
export async function serve(flags: ServeFlags, context: CliContext): Promise<ExitCode> {
  const { id, data, listen, peerListen, http, bootstrap, join, shards, maxBytes } = flags
  const { errIsTerminal } = context.screen
  const log = await createLog({
    node: id,
    level: flags.logLevel,
    pretty: flags.logFormat === 'pretty' || (flags.logFormat === 'auto' && errIsTerminal),
    color: useColor('auto', errIsTerminal),
    write: context.err,
  })
  const fault = faultOfMaxBytes(maxBytes ?? 0, shards ?? SHARDS_DEFAULT)
  if (fault !== null) throw new UsageError(fault)
  const node = checkedNode({
    name: id,
    dataDirectory: data,
    listen,
    peerListen,
    ...(bootstrap === undefined ? {} : { bootstrap }),
    ...(join === undefined ? {} : { join }),
    ...(shards === undefined ? {} : { shards }),
    ...(maxBytes === undefined ? {} : { maxBytes }),
    runtime: createRealRuntime({ network: createWebSocketNetwork() }),
    openStateStore: openLevelStateStore,
    settings: settingsOf(flags),
    allowTestAdmin: flags.allowTestAdmin === true,
    log,
  })
  onRecordSignal(node, log)
  return runNode(node, processOf(context, flags, log), http === undefined ? null : httpOf(http, id))
}

/** `kill -USR2 PID`: a flight recording of every replica here (its paths are in the log). */
function onRecordSignal(node: QuorateNode, log: (event: NodeEvent) => void): void {
  process.on('SIGUSR2', () => {
    node.record().catch((error: unknown) => log({ code: 'flight_recording_failed', reason: String(error) }))
  })
}

/** An HTTP server and a library for metrics are loaded only by who wants them. */
const httpOf =
  (address: string, name: string) =>
  async (node: QuorateNode): Promise<{ readonly address: string; close(): Promise<void> }> => {
    const { openOperatorHttp } = await import('./operator-http.ts')
    return openOperatorHttp({ address, name, node })
  }

/** Settings that contradict each other were typed: a mistake of usage. */
function checkedNode(options: NodeOptions): QuorateNode {
  try {
    return createNode(options)
  } catch (error) {
    if (error instanceof RangeError) throw new UsageError(error.message)
    throw error
  }
}

function settingsOf(flags: ServeFlags): Partial<NodeSettings> {
  const given = settingNames.flatMap((name) => {
    const value = flags[name]
    return value === undefined ? [] : [[name, value] as const]
  })
  return Object.fromEntries(given)
}

function processOf(context: CliContext, flags: ServeFlags, log: (event: NodeEvent) => void): Process {
  return {
    log,
    err: context.err,
    delay: (milliseconds) => sleep(milliseconds, undefined, { ref: false }),
    onStop: (stop) => {
      onStopSignals({ stop, force: () => process.exit(exitCodes.interrupted) })
      if (!flags.stopOnStdinEnd) return
      // `quorate dev` holds the other end: it closes when that process dies, whatever the way.
      const parentEnded = () => stop('parent ended')
      process.stdin.on('end', parentEnded).on('error', parentEnded).resume()
    },
  }
}
