// What replicas may tell each other (Figure 3.2 of the Raft dissertation), from all that was heard on the wire, over every
// crash and life: one leader in a term, one vote in a term, one entry at an index and term.
import type { GroupMessage } from '@quorate/protocol'
import { crc32 } from 'node:zlib'
import type { Violation } from './violation.ts'

export class WireRules {
  readonly violations: Violation[] = []
  /** By group and term: the replica that leads. */
  readonly #leaders = new Map<string, number>()
  /** By group, term and voter: for whom. */
  readonly #votes = new Map<string, number>()
  /** By group, index and term: checksum of the entry. */
  readonly #entries = new Map<string, number>()

  /** A message that arrived, at any time after it was sent, any number of times. */
  observe({ group, from, to, message, payloads }: GroupMessage): void {
    const { type, term } = message
    if (type === 'voteReply' && message.granted && !message.preVote)
      this.#one(this.#votes, `${group}/${term}/${from}`, to, 'one vote in a term', 'group/term/voter')
    // Whoever tells others to campaign or to append leads.
    if (type !== 'appendRequest' && type !== 'timeoutNow') return
    this.#one(this.#leaders, `${group}/${term}`, from, 'election safety', 'group/term')
    if (type !== 'appendRequest') return
    for (const [at, entry] of message.entries.entries()) {
      const payload = payloads[at]
      if (payload === undefined) continue
      const checksum = crc32(payload.payload, crc32(`${payload.type} ${payload.stamp}`))
      const place = `${group}/${entry.index}/${entry.term}`
      this.#one(this.#entries, place, checksum, 'log matching', 'group/index/term')
    }
  }

  #one(known: Map<string, number>, place: string, value: number, rule: string, names: string): void {
    const before = known.get(place)
    if (before === undefined) known.set(place, value)
    else if (before !== value)
      this.violations.push({
        checker: 'wire',
        message: `${rule}: ${names} ${place} has ${before} and ${value}`,
        operations: [],
      })
  }
}
