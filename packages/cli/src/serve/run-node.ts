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

/** Handing over, syncing and closing take well under a second on a healthy disk; a sick one must not hold a restart up. */
export const stopDeadlineMs = 10_000

export async function runNode(node: QuorateNode, process: Process): Promise<ExitCode> {
  const asked = new Promise<string>((resolve) => process.onStop(resolve))
  const failure = await Promise.race([
    node.start().then(
      () => null,
      (error: unknown) => ({ error }),
    ),
    asked
      .then(() => process.delay(stopDeadlineMs))
      .then(() => ({ error: new Error('it was asked to stop and was not even started in time') })),
  ])
  if (failure !== null) {
    process.err(`error: the node cannot start: ${describe(failure.error)}\n`)
    return exitCodes.failed
  }
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
  // Nothing acknowledged is at risk: that is on disk. But the end was not in order, and whoever waits should know.
  if (!stopped) process.err(`error: the node did not stop within ${stopDeadlineMs} ms\n`)
  return stopped ? exitCodes.done : exitCodes.failed
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const code = 'code' in error && typeof error.code === 'string' ? ` (${error.code})` : ''
  // One line: this goes into logs that are read line by line.
  return `${error.name}${code}: ${error.message}`.replaceAll(/\s*\n\s*/g, ' ')
}
