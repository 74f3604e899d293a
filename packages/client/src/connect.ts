// The way in.
import { limits } from '@quorate/protocol'
import { findCluster } from './bootstrap.ts'
import type { Cache } from './cache.ts'
import { Dispatcher } from './calls/dispatcher.ts'
import { Events } from './events.ts'
import { Revalidations } from './fill/revalidate.ts'
import { Operations } from './operation.ts'
import { type ConnectOptions, checkedTimeout } from './options.ts'
import { QuorateCache } from './quorate-cache.ts'
import { Topology } from './route/topology.ts'
import { createDefaultRuntime } from './runtime.ts'
import { closeClient } from './shutdown.ts'
import { Spans } from './span.ts'
import { parseTarget } from './target.ts'
import { resolveCodec } from './values/value.ts'

/**
 * Connects to a cluster through any of its nodes: `quorate://host:port,host:port` or a list of `host:port`. Resolves
 * once the shard map is known.
 * @throws QuorateError `ARGUMENT_INVALID`, `CANNOT_CONNECT`, `PROTOCOL_VERSION`; always `not-done`.
 */
export async function connect(
  target: string | readonly string[],
  options: ConnectOptions = {},
): Promise<Cache> {
  const topology = new Topology(parseTarget(target))
  const timeoutMs = checkedTimeout(options.timeout, limits.operationTimeoutMsDefault)
  const codec = resolveCodec(options.codec)
  const runtime = options.runtime ?? createDefaultRuntime()
  const events = new Events()
  const dispatcher = new Dispatcher({ runtime, topology, events, timeoutMs })
  try {
    await findCluster({ runtime, dispatcher, topology, timeoutMs })
  } catch (error) {
    await closeClient({ runtime, dispatcher })
    throw error
  }
  const operations = new Operations({ dispatcher, topology, timeoutMs, observer: options.observer })
  const spans = new Spans(runtime)
  const revalidations = new Revalidations(spans, events)
  return new QuorateCache({
    runtime,
    dispatcher,
    topology,
    operations,
    events,
    spans,
    revalidations,
    codec,
    timeoutMs,
  })
}
