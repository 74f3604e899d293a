// What the hub knows of faults, and the connections that must hear of a change.
import type {
  ConnectionFacts,
  FrameFault,
  HolePredicate,
  Incarnation,
  LinkPredicate,
  MemoryNetworkOptions,
} from './hub.ts'

/** One connection, as the hub sees it. */
export interface Link {
  /** A partition came or healed: what waited may go on. */
  resume(): void
  /** One side's process died; `loses` says whether frames it had sent are lost with it. */
  crashed(incarnation: Incarnation, loses: boolean): void
  cut(broken: LinkPredicate): void
}

export interface Faults {
  /** Delays of the deliveries of a frame. */
  delays(from: string, to: string, frame: Uint8Array): readonly number[]
  /** How long control (opening, closing) takes between two hosts. */
  readonly latencyMs: number
  isLossy(from: string, to: string): boolean
  isSevered(from: string, to: string): boolean
  isHoled(connection: ConnectionFacts, from: string, to: string): boolean
  add(link: Link): void
  remove(link: Link): void
  each(visit: (link: Link) => void): void
  set(fault: FrameFault | null, lossy: LinkPredicate | undefined): void
  partition(severed: LinkPredicate | null): void
  blackHole(holed: HolePredicate | null): void
}

const never: LinkPredicate = () => false

export function createFaults(options: MemoryNetworkOptions): Faults {
  const latencyMs = options.latencyMs ?? 0
  // Insertion order, so that a fault that touches many connections does so in the same order in every run.
  const links = new Set<Link>()
  let fault: FrameFault | null = null
  let lossy: LinkPredicate = never
  let severed: LinkPredicate = never
  let holed: HolePredicate | null = null

  const each = (visit: (link: Link) => void): void => {
    // A copy: visiting may close connections, and closing may dial.
    for (const link of Array.from(links)) visit(link)
  }
  return {
    latencyMs,
    delays: (from, to, frame) => (fault === null ? [latencyMs] : fault(from, to, frame)),
    isLossy: (from, to) => lossy(from, to),
    isSevered: (from, to) => severed(from, to),
    isHoled: (connection, from, to) => holed !== null && holed(connection, from, to),
    add: (link) => void links.add(link),
    remove: (link) => void links.delete(link),
    each,
    set: (nextFault, nextLossy) => {
      fault = nextFault
      lossy = nextLossy ?? never
    },
    partition: (next) => {
      severed = next ?? never
      each((link) => link.resume())
    },
    blackHole: (next) => {
      holed = next
      each((link) => link.resume())
    },
  }
}
