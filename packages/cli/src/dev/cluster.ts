// Runs the nodes of `quorate dev` from the first start to the last exit.
import { type CliContext } from '../context.ts'
import { type ExitCode, exitCodes } from '../exit-code.ts'
import { onStopSignals } from '../stop-signals.ts'
import { lastLogLine, type NodeProcess, startNode } from './child.ts'
import type { PlannedNode } from './plan.ts'
import { waitUntilServed } from './readiness.ts'

/** A node that has not stopped by then is killed: what it acknowledged is on disk. Longer than a node's own deadline. */
const stopDeadlineMs = 15_000

/** Resolves when every node has ended: 0 after a stop in order, 130 if it was forced, 1 if the nodes ended by themselves. */
export async function runCluster(
  context: CliContext,
  plan: readonly PlannedNode[],
  shards: number,
): Promise<ExitCode> {
  const processes = plan.map(startNode)
  const ending = new AbortController()
  let code: ExitCode | null = null
  let ready = false

  const stop = (result: ExitCode) => {
    code ??= result
    ending.abort()
    for (const process of processes) process.signal('SIGTERM')
    setTimeout(() => kill(processes), stopDeadlineMs).unref()
  }
  onStopSignals({
    stop: (signal) => {
      context.err(`${signal === 'SIGINT' ? '\n' : ''}stopping ${plan.length} nodes\n`)
      stop(exitCodes.done)
    },
    force: () => {
      code = exitCodes.interrupted
      kill(processes)
    },
  })

  for (const process of processes)
    void process.end.then(() => {
      if (code !== null) return
      context.err(obituary(process))
      // Before the cluster is formed a missing node leaves it hanging: better to say so and end.
      if (!ready) stop(exitCodes.failed)
    })

  void waitUntilServed(context, plan, shards, ending.signal).then((served) => {
    if (!served) return
    ready = true
    context.out(`ready quorate://${plan.map(({ clientAddress }) => clientAddress).join(',')}\n`)
  })

  await Promise.all(processes.map(({ end }) => end))
  ending.abort()
  return code ?? exitCodes.failed
}

function kill(processes: readonly NodeProcess[]): void {
  for (const process of processes) if (process.ended === null) process.signal('SIGKILL')
}

function obituary(process: NodeProcess): string {
  const { node, pid, ended } = process
  return [
    `${node.id} (pid ${pid ?? '-'}) has ended: ${ended}`,
    `  its log ${node.logFile} ends with: ${lastLogLine(node)}`,
    '  to start it again (it then runs on its own until you stop it):',
    `  ${node.command}`,
    '',
  ].join('\n')
}
