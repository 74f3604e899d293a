// Which entries of a namespace have not been cleared: one entry, whose version names the generation.
import type { Keyspace, OperationOptions } from '@quorate/client'

/**
 * Versions of a key never repeat, over deletion, eviction and moves. So the version of the generation's entry names what was written
 * under it for ever: to clear is to delete that entry, and should the cluster evict it nothing comes back that was cleared.
 */
export class Generations {
  readonly #entries: Keyspace<number>

  constructor(entries: Keyspace<number>) {
    this.#entries = entries
  }

  /** 0: there is none, and every entry of the namespace is cleared. */
  async current(namespace: string): Promise<number> {
    const entry = await this.#entries.getEntry(nameOf(namespace))
    return entry?.version ?? 0
  }

  /** The generation to write under; begins one if there is none. */
  async begun(namespace: string, options: OperationOptions = {}): Promise<number> {
    const current = await this.current(namespace)
    if (current > 0) return current
    // Lost: the version that was seen is that of who began it.
    const { version } = await this.#entries.set(nameOf(namespace), 1, { ...options, ifAbsent: true })
    return version
  }

  async end(namespace: string): Promise<void> {
    await this.#entries.del(nameOf(namespace))
  }
}

/** A namespace may be empty, a key may not. */
const nameOf = (namespace: string): string => `/${namespace}`
