// Runs one node until it is told to stop or halts by itself.
import type { NodeEvent, QuorateNode } from '@quorate/node'
import { type ExitCode, exitCodes } from '../exit-code.ts'

/** What a node needs of its process, so that a test can play the process. */
export interface Process {
  readonly log: (event: NodeEvent) => void
  /** One line for a person. */
  readonly err: (text: string) => void
  /** Calls back with the reason when the process is asked to stop; at most once. */
  readonly onStop: (stop: (reason: string) => void) => void
  /** Resolves after so many milliseconds. */
  readonly delay: (milliseconds: number) => Promise<void>
}

/** The port for operators: open before the node starts and until it has stopped, so that both can be watched. */
export type OpenHttp = (node: QuorateNode) => Promise<{ readonly address: string; close(): Promise<void> }>

/** Handing over, syncing and closing take well under a second on a healthy disk; a sick one must not hold a restart up. */
export const stopDeadlineMs = 10_000

export async function runNode(
  node: QuorateNode,
  process: Process,
  openHttp: OpenHttp | null = null,
): Promise<ExitCode> {
  const asked = new Promise<string>((resolve) => process.onStop(resolve))
  let http: Awaited<ReturnType<OpenHttp>> | null = null
  try {
    http = (await openHttp?.(node)) ?? null
  } catch (error) {
    return cannotStart(process, error)
  }
  if (http !== null) process.log({ code: 'http_listening', address: http.address })
  try {
    return await live(node, process, asked)
  } finally {
    await http?.close()
  }
}

async function live(node: QuorateNode, process: Process, asked: Promise<string>): Promise<ExitCode> {
  const failure = await Promise.race([
    node.start().then(
      () => null,
      (error: unknown) => ({ error }),
    ),
    asked
      .then(() => process.delay(stopDeadlineMs))
      .then(() => ({ error: new Error('it was asked to stop and was not even started in time') })),
  ])
  if (failure !== null) return cannotStart(process, failure.error)
  process.log({ code: 'listening', clientAddress: node.clientAddress, peerAddress: node.peerAddress })
  const end = await Promise.race([
    asked.then((reason) => ({ reason })),
    node.halted.then((error) => ({ error })),
  ])
  if ('error' in end) {
    process.err(`error: the node has halted: ${describe(end.error)}\n`)
    return exitCodes.failed
  }
  process.log({ code: 'stopping', reason: end.reason })
  const stopped = await Promise.race([
    node.stop().then(() => true),
    process.delay(stopDeadlineMs).then(() => false),
  ])
  process.log({ code: stopped ? 'stopped' : 'stop_overdue' })
  // Nothing acknowledged is at risk: that is on disk. But the end was not in order, and whoever waits should know.
  if (!stopped) process.err(`error: the node did not stop within ${stopDeadlineMs} ms\n`)
  return stopped ? exitCodes.done : exitCodes.failed
}

function cannotStart(process: Process, error: unknown): ExitCode {
  process.log({ code: 'start_failed', reason: describe(error) })
  process.err(`error: the node cannot start: ${describe(error)}\n`)
  return exitCodes.failed
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const code = 'code' in error && typeof error.code === 'string' ? ` (${error.code})` : ''
  // One line: this goes into logs that are read line by line.
  return `${error.name}${code}: ${error.message}`.replaceAll(/\s*\n\s*/g, ' ')
}
