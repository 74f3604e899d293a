// What this node remembers of the directories that called it, so that an old copy of one is recognised (storage.md).
import type { DirId, PeerHello } from '@quorate/protocol'
import { fixed } from '../settings.ts'
import type { Caller, InboundLink } from './inbound-link.ts'

export interface Known {
  boot: number
  /** How far its log was synced, as its own heartbeats said: never goes back over boots. */
  syncedLog: number
  /** Newest heartbeat of its present boot; and of that boot before this link, 0 if there was none. */
  sequence: number
  sequenceBefore: number
  /** How far the log of its present boot could be read at its start. */
  recoveredLog: number
  /** The newest link that it began in this boot, and its number; null when that has ended. */
  link: InboundLink | null
  linkNumber: number
  /** Who is here since a link of this boot was complete, until one ends and no other has taken its place. */
  caller: Caller | null
}

/** Bounded: what is known of a member of the map stays; of others the least recently heard is forgotten first. */
export class KnownPeers {
  /** Least recently greeted first. */
  readonly #known = new Map<DirId, Known>()
  readonly #isMember: (dirId: DirId) => boolean

  constructor(isMember: (dirId: DirId) => boolean) {
    this.#isMember = isMember
  }

  get(dirId: DirId): Known | undefined {
    return this.#known.get(dirId)
  }

  all(): Iterable<Known> {
    return this.#known.values()
  }

  /** Notes a greeting; returns what is known of the sender, and of the one that had to be forgotten for it. */
  greeted(hello: PeerHello): { readonly known: Known; readonly forgotten: Known | null } {
    const { dirId, boot, recoveredLog } = hello
    const known = this.#known.get(dirId) ?? {
      boot,
      syncedLog: 0,
      sequence: 0,
      sequenceBefore: 0,
      recoveredLog,
      link: null,
      linkNumber: 0,
      caller: null,
    }
    this.#known.delete(dirId)
    const forgotten = this.#makeRoom()
    this.#known.set(dirId, known)
    return { known, forgotten }
  }

  #makeRoom(): Known | null {
    if (this.#known.size < fixed.strangersMax) return null
    const strangers = [...this.#known.keys()].filter((dirId) => !this.#isMember(dirId))
    if (strangers.length < fixed.strangersMax) return null
    const chosen = strangers.find((dirId) => this.#known.get(dirId)?.link === null) ?? strangers[0]
    if (chosen === undefined) return null
    const forgotten = this.#known.get(chosen) ?? null
    this.#known.delete(chosen)
    return forgotten
  }
}
