/**
 * Where victims come from: entries that memory does not know before those that it does, as long as the store has enough of them
 * that finding them is cheap; else the hand over memory, which never has to read.
 */
import type { Victim } from '@quorate/protocol'
import type { ShardState } from '@quorate/state-machine'
import { fixed } from '../settings.ts'
import type { ReplicaHost } from './host.ts'
import type { Replica } from './replica.ts'

/** Of the rows read last so many must have been victims, else memory comes first. */
const YIELD_MIN = 0.25
/** And then the store is asked again now and then, since entries leave memory meanwhile. */
const ASK_AGAIN = 64

export class VictimSource {
  readonly #host: ReplicaHost
  readonly #replica: Replica
  /** A leader that is new to its entries begins with the store. */
  #yield = 1
  #asked = 0
  #memoryIsDry = false

  constructor(host: ReplicaHost, replica: Replica) {
    this.#host = host
    this.#replica = replica
  }

  /** Victims worth about `bytes`, at most `count`, perhaps none; `then` is called once, now or later, or never where the replica ended. */
  choose(bytes: number, count: number, then: (victims: readonly Victim[]) => void): void {
    this.#asked += 1
    const fromStore = this.#yield >= YIELD_MIN || this.#memoryIsDry || this.#asked % ASK_AGAIN === 0
    if (fromStore) {
      this.#fromStore(count)
        .then(then)
        .catch((error: unknown) =>
          this.#replica.failed(error instanceof Error ? error : new Error(String(error))),
        )
      return
    }
    const victims = this.#state.chooseVictims(bytes, count)
    this.#memoryIsDry = victims.length === 0
    then(victims)
  }

  get #state(): ShardState {
    return this.#replica.state as ShardState
  }

  async #fromStore(count: number): Promise<readonly Victim[]> {
    const { group, state, generation } = this.#replica
    const victims: Victim[] = []
    let rowsSeen = 0
    for (let scans = 0; scans < fixed.evictScans && victims.length < count; scans++) {
      const scan = this.#state.scanCold()
      if (scan === null) break
      // In turn, since each goes on where the one before ended.
      const rows = await this.#host.store.scan(group, generation, scan)
      // A snapshot replaced the state: what was read is of another generation.
      if (this.#replica.condition !== 'live' || this.#replica.state !== state) return []
      scan.complete(rows)
      rowsSeen += rows.length
      victims.push(...scan.victims)
    }
    this.#yield = rowsSeen === 0 ? 0 : victims.length / rowsSeen
    this.#memoryIsDry = false
    return victims.slice(0, fixed.evictEntries)
  }
}
