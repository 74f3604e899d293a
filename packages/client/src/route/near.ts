// Which replica of a group a stale read asks: the one that answered fastest lately, and none that has just failed.
import type { GroupId } from '@quorate/protocol'
import { NEAR_FORGET_MS, NEAR_RETRY_MS, NEAR_SMOOTHING } from '../limits.ts'
import type { Topology } from './topology.ts'

interface Known {
  /** From a request to its answer, smoothed, ms; null: not measured, or too long ago. */
  readonly roundTripMs: number | null
  readonly heardAt: number
  readonly failedAt: number
}

/** Knows nothing of leaders but what the topology knows, and tells it nothing: any replica may answer a stale read. */
export class Near {
  readonly #topology: Topology
  readonly #known = new Map<string, Known>()

  constructor(topology: Topology) {
    this.#topology = topology
  }

  /** The next address for a read that `passed` have not answered; the set begins anew when all have. Null without a replica. */
  addressFor(group: GroupId, passed: Set<string>, now: number): string | null {
    const addresses = this.#topology.replicasOf(group)
    const { length } = addresses
    // Each group begins at another replica, as long as nothing is known of any.
    const turned = addresses.map((_, at) => addresses[(at + group) % length] ?? '')
    let left = turned.filter((address) => !passed.has(address))
    if (left.length === 0) {
      passed.clear()
      left = turned
    }
    // Who was refused once goes to the leader, which never refuses for an age.
    const leader = this.#topology.leaderOf(group)
    if (passed.size > 0 && leader !== null && left.includes(leader)) return leader
    const [nearest] = left.toSorted((one, other) => this.#costOf(one, now) - this.#costOf(other, now))
    return nearest ?? null
  }

  answered(address: string, roundTripMs: number, now: number): void {
    const before = this.#roundTripMs(address, now) ?? roundTripMs
    this.#known.set(address, {
      roundTripMs: before + NEAR_SMOOTHING * (roundTripMs - before),
      heardAt: now,
      failedAt: -Infinity,
    })
  }

  /** It refused, could not be reached, or kept a read waiting. */
  failed(address: string, now: number): void {
    this.#known.set(address, { roundTripMs: null, heardAt: -Infinity, failedAt: now })
  }

  /** Those that nothing is known of come first: how else would anything be. */
  #costOf(address: string, now: number): number {
    const failedAt = this.#known.get(address)?.failedAt ?? -Infinity
    if (now - failedAt < NEAR_RETRY_MS) return Number.MAX_VALUE
    return this.#roundTripMs(address, now) ?? 0
  }

  #roundTripMs(address: string, now: number): number | null {
    const known = this.#known.get(address)
    return known === undefined || now - known.heardAt > NEAR_FORGET_MS ? null : known.roundTripMs
  }
}
