// A node that was started at other addresses than the map knows asks to be entered anew, as a joining one does.
import type { MapNode, PeerFrame } from '@quorate/protocol'
import { fixed } from './settings.ts'

export interface AnnouncerParts {
  /** Monotonic ms. */
  readonly now: () => number
  /** This node as the map has it; null if it is not in the map. */
  readonly known: () => MapNode | null
  readonly self: () => MapNode
  readonly ask: (join: Extract<PeerFrame, { type: 'join' }>) => void
}

export class Announcer {
  readonly #parts: AnnouncerParts
  #nextAt = 0

  constructor(parts: AnnouncerParts) {
    this.#parts = parts
  }

  tick(): void {
    const { now, known, self, ask } = this.#parts
    const entered = known()
    if (entered === null) return
    const own = self()
    if (entered.peerAddress === own.peerAddress && entered.clientAddress === own.clientAddress) return
    if (now() < this.#nextAt) return
    this.#nextAt = now() + fixed.announceMs
    ask({ type: 'join', ...own })
  }
}
