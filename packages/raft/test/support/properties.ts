// The properties of Figure 3.2 and their companions, checked from outside: with what disks hold, not with what cores say.
import type { Configuration } from '../../src/index.ts'
import { entryAt, lastIndexOf } from './host.ts'
import type { Host, StoredEntry } from './host.ts'

export class PropertyBroken extends Error {
  override readonly name = 'PropertyBroken'
}

export class Properties {
  readonly #leaders = new Map<number, number>()
  readonly #entries = new Map<string, string>()
  /** By index: every entry that some core has called committed. */
  readonly committed = new Map<number, StoredEntry>()
  committedIndex = 0
  /** By index: the term of whoever called it committed first. */
  readonly #committedIn = new Map<number, number>()

  /**
   * Election safety: at most one leader per term. Leader completeness: it holds all that an earlier term has committed.
   * (Votes may be late: a leader may still be made in a term that another has already passed. It can commit nothing.)
   */
  leads(host: Host, term: number): void {
    const known = this.#leaders.get(term)
    if (known === host.id) return
    if (known !== undefined) broken(`election safety: ${known} and ${host.id} lead in term ${term}`)
    this.#leaders.set(term, host.id)
    for (const entry of this.committed.values()) {
      if (entry.index <= host.log.compacted.index) continue
      if ((this.#committedIn.get(entry.index) ?? 0) >= term) continue
      if (entryAt(host.log, entry.index)?.term !== entry.term) {
        broken(`leader completeness: ${host.id} leads in term ${term} without ${entry.index}/${entry.term}`)
      }
    }
  }

  /** Log matching: an entry of one index and term is the same everywhere, and so is the term before it. */
  appended(host: Host, entry: StoredEntry): void {
    const previous = entryAt(host.log, entry.index - 1)?.term ?? host.log.compacted.term
    const key = `${entry.index}/${entry.term}`
    const content = `${entry.payload} after ${previous}`
    const known = this.#entries.get(key)
    if (known === undefined) this.#entries.set(key, content)
    else if (known !== content) broken(`log matching: ${key} is "${known}" and, on ${host.id}, "${content}"`)
  }

  /** State machine safety; and nothing is committed that a quorum of disks does not hold. */
  commits(host: Host, upTo: number, hosts: ReadonlyMap<number, Host>, configuration: Configuration): void {
    for (let index = host.log.compacted.index + 1; index <= upTo; index++) {
      const entry = entryAt(host.log, index)
      if (entry === null) return broken(`${host.id} commits ${index} beyond its log`)
      const known = this.committed.get(index)
      if (known === undefined) {
        for (const half of [configuration.voters, configuration.outgoing]) {
          const holders = half.filter((voter) => holdsOnDisk(hosts.get(voter), entry))
          if (half.length > 0 && holders.length * 2 <= half.length)
            broken(
              `durability: ${index}/${entry.term} is committed and only on the disks of ${holders.join()} of ${half.join()}`,
            )
        }
        this.committed.set(index, entry)
        this.#committedIn.set(index, host.raft?.currentTerm ?? 0)
      } else if (known.term !== entry.term || known.payload !== entry.payload) {
        broken(
          `state machine safety: ${index} is ${known.term}:${known.payload} and, on ${host.id}, ${entry.term}:${entry.payload}`,
        )
      }
    }
    this.committedIndex = Math.max(this.committedIndex, upTo)
  }
}

/** Leader append-only. */
export function assertAppendOnly(host: Host, firstIndex: number): void {
  if (firstIndex <= lastIndexOf(host.log)) broken(`leader append-only: ${host.id} overwrites ${firstIndex}`)
}

function holdsOnDisk(host: Host | undefined, { index, term }: StoredEntry): boolean {
  if (host === undefined) return false
  const { log } = host.disk
  return index <= log.compacted.index || entryAt(log, index)?.term === term
}

export function broken(sentence: string): never {
  throw new PropertyBroken(sentence)
}
