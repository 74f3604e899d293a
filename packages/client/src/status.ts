// Asks every node of the map for its status document.
import { QuorateError } from '@quorate/protocol'
import type { NodeReport } from './cache.ts'
import type { Dispatcher } from './calls/dispatcher.ts'
import type { StatusAnswer } from './link/link.ts'
import { type OperationOptions, checkedTimeout } from './options.ts'
import type { Topology } from './route/topology.ts'
import type { ClientRuntime } from './runtime.ts'

export interface StatusContext {
  readonly runtime: ClientRuntime
  readonly dispatcher: Dispatcher
  readonly topology: Topology
  readonly timeoutMs: number
}

/** One report for each node, in the map's order; a node that is silent until the deadline reports that. */
export async function askEveryNode(
  context: StatusContext,
  options: OperationOptions,
): Promise<readonly NodeReport[]> {
  const timeoutMs = checkedTimeout(options.timeout, context.timeoutMs)
  const nodes = context.topology.map?.nodes ?? []
  return Promise.all(
    nodes.map(async ({ name, clientAddress }) => {
      const answer = await askNode(context, clientAddress, timeoutMs, options.signal)
      return reportOf(name, clientAddress, answer)
    }),
  )
}

function askNode(
  context: StatusContext,
  address: string,
  timeoutMs: number,
  signal: AbortSignal | undefined,
): Promise<StatusAnswer> {
  return new Promise((resolve) => {
    const finish = (answer: StatusAnswer): void => {
      timer.cancel()
      signal?.removeEventListener('abort', abort)
      resolve(answer)
    }
    const fail = (code: 'TIMEOUT' | 'ABORTED', message: string): void =>
      finish({ failure: new QuorateError(code, 'not-done', message) })
    const abort = (): void => fail('ABORTED', 'the question was aborted')
    const timer = context.runtime.timers.after(timeoutMs, () =>
      fail('TIMEOUT', `${address} did not answer in time`),
    )
    if (signal?.aborted === true) return abort()
    signal?.addEventListener('abort', abort, { once: true })
    context.dispatcher.link(address).status(finish)
  })
}

function reportOf(name: string, clientAddress: string, answer: StatusAnswer): NodeReport {
  if ('failure' in answer) return { name, clientAddress, status: null, error: answer.failure }
  try {
    const status: unknown = JSON.parse(answer.json)
    if (typeof status === 'object' && status !== null) {
      return { name, clientAddress, status: status as Record<string, unknown>, error: null }
    }
  } catch {
    // Falls through: what is no JSON object is no status.
  }
  const error = new QuorateError('BAD_FRAME', 'not-done', `${clientAddress} sent no status document`)
  return { name, clientAddress, status: null, error }
}
