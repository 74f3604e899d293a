// Appends that wait for the receiver's credit: groups take turns, and what does not fit is given up where most waits.
import { type GroupId, groupMessageBytesMax, type GroupMessage } from '@quorate/protocol'

interface Waiting {
  readonly messages: GroupMessage[]
  bytes: number
  /** Grows with the time since which the group had no turn. */
  readonly since: number
}

/**
 * Bounded in bytes, whatever the number of groups. What is given up is repeated by Raft: the newest message of the group
 * that holds most, and where each holds one, that of the group that had a turn last. So nobody is driven out for ever.
 */
export class AppendQueue {
  readonly #bytesMax: number
  /** In the order of their turns. */
  readonly #groups = new Map<GroupId, Waiting>()
  /** Since when those have waited of which everything was given up. */
  readonly #owed = new Map<GroupId, number>()
  #turns = 0
  #bytes = 0

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
  }

  get bytes(): number {
    return this.#bytes
  }

  put(message: GroupMessage): void {
    const { group } = message
    const waiting = this.#groups.get(group) ?? this.#enter(group, [])
    this.#owed.delete(group)
    waiting.messages.push(message)
    this.#count(waiting, groupMessageBytesMax(message))
    while (this.#bytes > this.#bytesMax && this.#isMany()) this.#giveUp()
  }

  /** The message whose turn it is. */
  peek(): GroupMessage | undefined {
    const [first] = this.#groups.values()
    return first?.messages[0]
  }

  /** Removes what `peek` shows; its group is last in turn then. */
  take(): void {
    const [turn] = this.#groups
    if (turn === undefined) return
    const [group, waiting] = turn
    const message = waiting.messages.shift()
    if (message !== undefined) this.#count(waiting, -groupMessageBytesMax(message))
    this.#groups.delete(group)
    if (waiting.messages.length > 0) this.#enter(group, waiting.messages, waiting.bytes)
  }

  clear(): void {
    this.#groups.clear()
    this.#owed.clear()
    this.#bytes = 0
  }

  /** One message waits whatever its size. */
  #isMany(): boolean {
    const [first] = this.#groups.values()
    return this.#groups.size > 1 || (first?.messages.length ?? 0) > 1
  }

  /** Last in turn; a group of which everything was given up has still waited as long as it has. */
  #enter(group: GroupId, messages: GroupMessage[], bytes = 0): Waiting {
    this.#turns += 1
    const waiting = { messages, bytes, since: this.#owed.get(group) ?? this.#turns }
    this.#groups.set(group, waiting)
    return waiting
  }

  #giveUp(): void {
    let chosen: readonly [GroupId, Waiting] | null = null
    for (const candidate of this.#groups)
      if (chosen === null || isSooner(candidate[1], chosen[1])) chosen = candidate
    if (chosen === null) return
    const [group, waiting] = chosen
    const message = waiting.messages.pop()
    if (message !== undefined) this.#count(waiting, -groupMessageBytesMax(message))
    if (waiting.messages.length > 0) return
    this.#groups.delete(group)
    this.#owed.set(group, waiting.since)
  }

  #count(waiting: Waiting, bytes: number): void {
    waiting.bytes += bytes
    this.#bytes += bytes
  }
}

/** Which of two gives something up. */
function isSooner(left: Waiting, right: Waiting): boolean {
  const [leftMany, rightMany] = [left.messages.length > 1, right.messages.length > 1]
  if (leftMany !== rightMany) return leftMany
  return leftMany ? left.bytes > right.bytes : left.since > right.since
}
