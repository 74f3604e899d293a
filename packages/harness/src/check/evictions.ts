/**
 * What the system says it evicted, as operations of its own: only by such a report, a `del` or a deadline may an acknowledged
 * value be gone (rule 23). Every replica reports what it applies, also when it applies again after a restart; the first report
 * of a removal counts, and the others must say the same.
 */
import type { NodeOptions, NodeStatus } from '@quorate/node'
import type { Operation } from '../workload/history.ts'
import type { Violation } from './violation.ts'

type Reported = NonNullable<NodeOptions['removed']>

/** What a leader may admit above the limit of a shard. */
const CEILING = 1.25

export class Evictions {
  readonly #nowMs: () => number
  /** By group and version of the removal. */
  readonly #seen = new Map<string, string>()
  readonly #operations: Operation[] = []
  readonly #violations: Violation[] = []

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs
  }

  get operations(): readonly Operation[] {
    return this.#operations
  }

  get violations(): readonly Violation[] {
    return this.#violations
  }

  /** To be given to every node as `NodeOptions.removed`. */
  readonly reported: Reported = (group, removals) => {
    for (const { cause, slotEpoch, version, removedVersion, key: bytes } of removals) {
      const key = new TextDecoder().decode(bytes)
      const name = `${group}.${version}`
      const said = `${cause} ${key}#${removedVersion}`
      const before = this.#seen.get(name)
      if (before !== undefined && before !== said)
        this.#violate(`replicas of group ${group} removed ${before} and ${said} at version ${version}`)
      if (before !== undefined) continue
      this.#seen.set(name, said)
      if (cause !== 'evicted') continue
      const position = { epoch: slotEpoch, version, t: 0 }
      this.#operations.push({
        ...eviction,
        key,
        expectedVersion: removedVersion,
        position,
        shard: group,
        returnMs: this.#nowMs(),
      })
    }
  }

  /** No replica of a bounded shard ever holds more than its leader may admit. */
  observe({ id, shards }: NodeStatus): void {
    for (const { group, bytes, bytesMax } of shards)
      if (bytesMax > 0 && bytes > bytesMax * CEILING)
        this.#violate(`${id} has ${bytes} bytes in group ${group}, of ${bytesMax} and a quarter`)
  }

  #violate(message: string): void {
    this.#violations.push({ checker: 'evictions', message, operations: [] })
  }
}

/** It may have happened at any time before somebody reported it. */
const eviction = {
  process: 'system',
  type: 'ok',
  f: 'evict',
  argument: null,
  applied: true,
  seen: null,
  callMs: 0,
  error: null,
} as const
