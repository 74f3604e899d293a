// A network in memory: hosts with labels, ordered streams between them, faults on demand. Deterministic, given timers
// and chance.
import { type Network, NetworkError, type Random, type Timers } from '@quorate/runtime'
import { formatAddress, parseAddress } from '../address.ts'
import { type Bound, MemoryConnection } from './connection.ts'
import { createFaults } from './faults.ts'

export interface MemoryNetworkOptions {
  readonly timers: Timers
  /** Decides what a crash loses of the bytes under way. */
  readonly random: Random
  /** How long a frame takes where no fault says otherwise, ms. Default 0: it arrives in a later turn. */
  readonly latencyMs?: number
  /** How long a dial to a host behind a partition may hang before it ends, ms. Default 5,000. */
  readonly dialTimeoutMs?: number
  /** Overwrites a frame's bytes once its receiver returned, so that whoever kept a view is found out. Default true. */
  readonly scribble?: boolean
}

/** For one frame: after how many ms each delivery of it happens; none = lost, two = duplicated. */
export type FrameFault = (from: string, to: string, frame: Uint8Array) => readonly number[]

/** Tells about hosts (labels, not addresses), in the direction in which frames go. */
export type LinkPredicate = (from: string, to: string) => boolean

/** One connection, for faults that hit some of those between two hosts and spare the others. */
export interface ConnectionFacts {
  /** Host of the dialling side. */
  readonly dialler: string
  readonly acceptor: string
  /** The first frame of the dialling side, which says what the connection is for; null before it was sent. */
  readonly opening: Uint8Array | null
}

/** Whether frames of this connection that go from one host to the other disappear from sight. */
export type HolePredicate = (connection: ConnectionFacts, from: string, to: string) => boolean

export interface MemoryHub {
  /**
   * The network as the process `host` sees it. After `disconnect(host)` this object is dead, as its process is: it calls
   * nobody, and a listen or dial never answers. The next incarnation asks for a network of its own.
   */
  networkFor(host: string): Network
  /**
   * Decides every frame from now on; null stops it. On links for which `lossy` (default: none) answers true each
   * delivery goes its own way: frames are lost, repeated and overtake each other. On all others, streams as TCP makes
   * them, the longest delay counts, order is kept, nothing is repeated, and a lost frame breaks the connection.
   */
  setFault(fault: FrameFault | null, lossy?: LinkPredicate): void
  /**
   * While the predicate says so nothing passes from one host to the other: on streams it waits (as TCP retransmits) and
   * goes on when the partition heals, on lossy links it is lost. Dials hang. null heals everything.
   */
  partition(severed: LinkPredicate | null): void
  /**
   * As a partition, but of single connections and one direction of each: the others between the same hosts go on. What is
   * dialled later gets through, unless the predicate says the same of it. null heals everything.
   */
  blackHole(holed: HolePredicate | null): void
  /** The process crashed: its listeners vanish, its callbacks are never called again, the other sides see a close. */
  disconnect(host: string): void
  /** Breaks every connection between two hosts that answers true: both sides see a close. */
  cut(broken: LinkPredicate): void
}

/** One life of a process. */
export interface Incarnation {
  readonly host: string
  alive: boolean
}

const DIAL_TIMEOUT_MS = 5_000
const PORT_FIRST = 40_000
const PORT_LAST = 65_535

export function createMemoryNetwork(options: MemoryNetworkOptions): MemoryHub {
  const faults = createFaults(options)
  const incarnations = new Map<string, Incarnation>()
  const bound = new Map<string, Bound>()
  const ports = { last: PORT_FIRST }

  const current = (host: string): Incarnation => {
    const known = incarnations.get(host)
    if (known !== undefined) return known
    const fresh: Incarnation = { host, alive: true }
    incarnations.set(host, fresh)
    return fresh
  }

  const networkFor = (host: string): Network => {
    const owner = current(host)
    return {
      dial: (address, handlers) => {
        const connection = new MemoryConnection({
          faults,
          timers: options.timers,
          dialTimeoutMs: options.dialTimeoutMs ?? DIAL_TIMEOUT_MS,
          scribble: options.scribble ?? true,
          address,
          dialler: owner,
          handlers,
          find: () => bound.get(address),
        })
        return connection.diallingSide()
      },
      listen: async (address, accept) => {
        if (!owner.alive) return new Promise(() => undefined)
        const place = placeFor(address, bound, ports)
        bound.set(place, { owner, accept })
        return {
          address: place,
          close: () => {
            if (bound.get(place)?.accept === accept) bound.delete(place)
            return Promise.resolve()
          },
        }
      },
    }
  }

  return {
    networkFor,
    setFault: (fault, lossy) => faults.set(fault, lossy),
    partition: (severed) => faults.partition(severed),
    blackHole: (holed) => faults.blackHole(holed),
    disconnect: (host) => {
      const crashed = incarnations.get(host)
      if (crashed === undefined) return
      crashed.alive = false
      incarnations.delete(host)
      for (const [address, entry] of bound) if (entry.owner === crashed) bound.delete(address)
      faults.each((link) => link.crashed(crashed, options.random.next() < 0.5))
    },
    cut: (broken) => faults.each((link) => link.cut(broken)),
  }
}

/** The address to bind: the one asked for, or with port 0 the next free one. */
function placeFor(address: string, bound: ReadonlyMap<string, Bound>, ports: { last: number }): string {
  const { host, port } = parseAddress(address)
  if (port !== 0) {
    if (bound.has(address)) throw new NetworkError('EADDRINUSE', `${address} is in use`)
    return address
  }
  for (let tries = PORT_FIRST; tries <= PORT_LAST; tries += 1) {
    ports.last = ports.last === PORT_LAST ? PORT_FIRST : ports.last + 1
    const place = formatAddress(host, ports.last)
    if (!bound.has(place)) return place
  }
  throw new NetworkError('EADDRINUSE', `no free port at ${host}`)
}
