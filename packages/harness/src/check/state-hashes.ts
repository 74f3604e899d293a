// Replicas with the same applied index have the same state hash (rule 21). Keeps every pair it was shown.
import type { NodeStatus } from '@quorate/node'
import type { Violation } from './violation.ts'

export class StateHashes {
  readonly violations: Violation[] = []
  readonly #known = new Map<string, { readonly hash: string; readonly node: string }>()
  readonly #leaders = new Map<string, string>()
  #compared = 0

  /** How many observations had a counterpart to be compared with. */
  get compared(): number {
    return this.#compared
  }

  observe(status: NodeStatus): void {
    for (const shard of status.shards) {
      if (shard.state !== 'live') continue
      this.#observeHash(status.id, shard.group, shard.appliedIndex, shard.stateHash)
      if (shard.role === 'leader') this.#observeLeader(status.id, shard.group, shard.term)
    }
  }

  #observeHash(node: string, group: number, appliedIndex: number, hash: string): void {
    if (appliedIndex === 0) return
    const place = `${group}/${appliedIndex}`
    const known = this.#known.get(place)
    if (known === undefined) {
      this.#known.set(place, { hash, node })
      return
    }
    if (known.node !== node) this.#compared += 1
    if (known.hash !== hash)
      this.#violate(
        `group ${group} at index ${appliedIndex}: ${known.node} has ${known.hash}, ${node} has ${hash}`,
      )
  }

  /** Election safety (Figure 3.2): at most one leader in a term. */
  #observeLeader(node: string, group: number, term: number): void {
    const place = `${group}/${term}`
    const known = this.#leaders.get(place)
    if (known === undefined) this.#leaders.set(place, node)
    else if (known !== node)
      this.#violate(`group ${group} has two leaders in term ${term}: ${known}, ${node}`)
  }

  #violate(message: string): void {
    this.violations.push({ checker: 'state', message, operations: [] })
  }
}
