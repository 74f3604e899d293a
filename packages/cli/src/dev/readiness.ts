// Waits until a cluster serves: every shard has a leader that answers reads.
import { setTimeout as sleep } from 'node:timers/promises'
import { type ListedNode, listNodes, summariseShards, unservedGroups } from '../cluster-status.ts'
import type { CallOptions, CliContext } from '../context.ts'
import { showProgress } from '../progress.ts'
import type { PlannedNode } from './plan.ts'

const pollMs = 100
const attemptTimeoutMs = 1000
/** Forming a cluster takes about a second; somebody who has waited this long wants to know for what. */
const patienceMs = 10_000

/** Resolves with true when it serves, with false when `signal` is aborted. */
export async function waitUntilServed(
  context: CliContext,
  plan: readonly PlannedNode[],
  shards: number,
  signal: AbortSignal,
): Promise<boolean> {
  const addresses = plan.map(({ clientAddress }) => clientAddress)
  const call = { timeout: attemptTimeoutMs, signal }
  let missing: string | null = 'the nodes start'
  const progress = showProgress(context, () => `starting: ${missing}`)
  let speakAt = performance.now() + patienceMs
  try {
    while (!signal.aborted) {
      // oxlint-disable-next-line no-await-in-loop -- this is a poll
      missing = await whatIsMissing(context, addresses, shards, call)
      if (missing === null) return true
      // On a terminal it is there to read all the time.
      if (performance.now() >= speakAt && !context.screen.errIsTerminal) {
        context.err(`still waiting: ${missing}\n`)
        speakAt = performance.now() + patienceMs
      }
      // oxlint-disable-next-line no-await-in-loop -- this is a poll
      await sleep(pollMs, undefined, { signal }).catch(() => undefined)
    }
    return false
  } finally {
    progress.end()
  }
}

/** Null if every group is served by a node and every node is a part of it. */
async function whatIsMissing(
  context: CliContext,
  addresses: readonly string[],
  shards: number,
  call: CallOptions,
): Promise<string | null> {
  try {
    const nodes = await nodesOf(context, addresses, call)
    if (nodes.length < addresses.length) return `the cluster has ${nodes.length} of ${addresses.length} nodes`
    const absent = nodes.filter(({ state }) => state !== 'serving')
    if (absent.length > 0) return absent.map(({ id, state }) => `${id} is ${state}`).join(', ')
    const unserved = unservedGroups(summariseShards(nodes), shards)
    return unserved.length === 0 ? null : `no leader for shard ${unserved.join(', ')}`
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

async function nodesOf(
  context: CliContext,
  addresses: readonly string[],
  call: CallOptions,
): Promise<ListedNode[]> {
  const cache = await context.connect(addresses, call)
  try {
    return listNodes(await cache.status(call))
  } finally {
    await cache.close()
  }
}
