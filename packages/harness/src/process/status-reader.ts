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
      return reports.flatMap(({ status }) => (status === null ? [] : [status as unknown as NodeStatus]))
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
