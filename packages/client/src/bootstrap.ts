// Finds the cluster: any one endpoint that says welcome with a map is enough.
import { QuorateError } from '@quorate/protocol'
import type { Timer } from '@quorate/runtime'
import type { Dispatcher } from './calls/dispatcher.ts'
import { BACKOFF_MS_MAX, BACKOFF_MS_MIN, CONNECT_STAGGER_MS } from './limits.ts'
import type { Topology } from './route/topology.ts'
import type { ClientRuntime } from './runtime.ts'

export interface Bootstrap {
  readonly runtime: ClientRuntime
  readonly dispatcher: Dispatcher
  readonly topology: Topology
  readonly timeoutMs: number
}

/**
 * Resolves when a map that assigns slots is known. Endpoints are tried in order, each beside the silent ones before it,
 * over and over until the deadline.
 * @throws QuorateError `CANNOT_CONNECT` (or what a node refused with), `not-done`.
 */
export function findCluster({ runtime, dispatcher, topology, timeoutMs }: Bootstrap): Promise<void> {
  return new Promise((resolve, reject) => {
    let finished = false
    let stagger: Timer | null = null
    let next = 0
    const finish = (settle: () => void): void => {
      if (finished) return
      finished = true
      deadline.cancel()
      stagger?.cancel()
      dispatcher.onMap = null
      settle()
    }
    const tryNext = (): void => {
      if (finished) return
      const address = topology.seeds[next % topology.seeds.length]
      next += 1
      if (address !== undefined) dispatcher.link(address)
      // After a round through all of them a little chance, so that clients of a restarted cluster do not come as one.
      const jitter = BACKOFF_MS_MIN + (BACKOFF_MS_MAX - BACKOFF_MS_MIN) * runtime.random.next()
      stagger = runtime.timers.after(
        next % topology.seeds.length === 0 ? CONNECT_STAGGER_MS + jitter : CONNECT_STAGGER_MS,
        tryNext,
      )
    }
    const deadline = runtime.timers.after(timeoutMs, () =>
      finish(() => reject(cannotConnect(dispatcher, topology))),
    )
    dispatcher.onMap = () => {
      if (isServing(topology)) finish(resolve)
    }
    tryNext()
  })
}

/** A node may welcome clients before its cluster has been formed: then nobody owns a slot yet. */
function isServing(topology: Topology): boolean {
  return topology.map?.slots.some((group) => group !== 0) === true
}

function cannotConnect(dispatcher: Dispatcher, topology: Topology): QuorateError {
  const failure = dispatcher.lastLinkFailure
  if (topology.map !== null) {
    return new QuorateError('CANNOT_CONNECT', 'not-done', 'the cluster has not been formed yet', {
      hint: 'a cluster serves clients once all nodes named by --bootstrap have met',
    })
  }
  const message = `no node answered at ${topology.seeds.join(', ')}`
  return new QuorateError(
    failure?.code ?? 'CANNOT_CONNECT',
    'not-done',
    failure === null ? message : `${message}: ${failure.message}`,
    {
      hint: 'check that the nodes run and that these are their client addresses',
    },
  )
}
