// Reads the status of every node of a cluster of processes, over a client that is made anew when it fails.
import { type Cache, connect } from '@quorate/client'
import type { NodeStatus } from '@quorate/node'

const TIMEOUT_MS = 1_000

export class StatusReader {
  readonly #endpoints: readonly string[]
  #cache: Cache | null = null

  constructor(endpoints: readonly string[]) {
    this.#endpoints = endpoints
  }

  /** Of the nodes that answer; none while nobody can be reached or there is no cluster yet. */
  async read(): Promise<NodeStatus[]> {
    try {
      this.#cache ??= await connect(this.#endpoints, { timeout: TIMEOUT_MS })
      const reports = await this.#cache.status({ timeout: TIMEOUT_MS })
      // The document is the node's own; nothing here trusts it beyond comparing it.
      const statuses = reports.flatMap(({ status }) =>
        status === null ? [] : [status as unknown as NodeStatus],
      )
      // Nobody answers this client: after a loss of everything the nodes may be another cluster by now.
      if (statuses.length === 0) await this.close()
      return statuses
    } catch {
      await this.close()
      return []
    }
  }

  async close(): Promise<void> {
    const cache = this.#cache
    this.#cache = null
    await cache?.close()
  }
}
