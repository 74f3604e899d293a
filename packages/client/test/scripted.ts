// A client, a fake cluster and a script that answers its writes one after the other.
import type { ClientReply } from '@quorate/protocol'
import { type Cache, type ConnectOptions, type OperationEvent, QuorateError, connect } from '../src/index.ts'
import {
  type Asked,
  type FakeCluster,
  type FakeClusterOptions,
  type FakeNode,
  type Said,
  createFakeCluster,
} from './fake-cluster.ts'

export interface Scripted {
  readonly cluster: FakeCluster
  readonly cache: Cache
  readonly events: OperationEvent[]
  /** What the nodes say to the next attempts of commands, in order; afterwards they serve. */
  readonly say: (...said: readonly (Said | ((asked: Asked, node: FakeNode) => Said))[]) => void
  /** Requests with commands so far. */
  readonly commands: () => readonly {
    readonly node: string
    readonly at: number
    readonly request: Asked
  }[]
  /** `session/sequence` of each attempt so far. */
  readonly names: () => readonly string[]
}

export async function createScripted(options: FakeClusterOptions & ConnectOptions = {}): Promise<Scripted> {
  const cluster = await createFakeCluster({ shards: 1, ...options })
  const events: OperationEvent[] = []
  const { time } = cluster
  const cache = await time.until(
    connect(cluster.addresses, {
      runtime: cluster.runtime,
      observer: (event) => events.push(event),
      ...options,
    }),
  )
  // The leader is known and a session is open: only what the test says happens from here.
  await time.until(cache.set('warm up', 0))
  cluster.asked.length = 0
  events.length = 0
  const queue: (Said | ((asked: Asked, node: FakeNode) => Said))[] = []
  cluster.script = (asked, node) => {
    if (asked.type !== 'write' || asked.section.kind !== 'commands') return 'serve'
    const said = queue.shift() ?? 'serve'
    return typeof said === 'function' ? said(asked, node) : said
  }
  const commands: Scripted['commands'] = () =>
    cluster.asked.filter(({ request }) => request.type === 'write' && request.section.kind === 'commands')
  return {
    cluster,
    cache,
    events,
    say: (...said) => void queue.push(...said),
    commands,
    names: () =>
      commands().flatMap(({ request }) => {
        if (request.type !== 'write' || request.section.kind !== 'commands') return []
        const { session, commands: sent } = request.section
        return sent.map(({ sequence }) => `${session.group}.${session.version}/${sequence}`)
      }),
  }
}

type Refusal = Omit<Extract<ClientReply, { type: 'refused' }>, 'requestId'>
type Open = Omit<Extract<ClientReply, { type: 'open' }>, 'requestId'>

export function refused(code: Refusal['code'], leader: string | null = null): Refusal {
  return { type: 'refused', code, leader }
}

export function open(code: Open['code'] = 'LEADERSHIP_LOST', leader: string | null = null): Open {
  return { type: 'open', code, leader }
}

/** How an operation ended, as a value. */
export async function ending(
  promise: Promise<unknown>,
): Promise<{ ok: unknown } | { code: string; outcome: 'not-done' | 'unknown' }> {
  try {
    return { ok: await promise }
  } catch (error) {
    if (!(error instanceof QuorateError)) throw error
    return { code: error.code, outcome: error.outcome }
  }
}
