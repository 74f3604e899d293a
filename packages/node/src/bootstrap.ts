// A blank node finds its cluster: forms it with the other blank nodes named, or asks an existing one to be added (shards.md).
import type { DirId, MapNode, PeerHello } from '@quorate/protocol'
import type { Network, Random, Timer, Timers } from '@quorate/runtime'
import type { NamedAddress, NodeEvent } from './node.ts'
import type { Welcome } from './peers/outbound-channel.ts'
import { PeerLink } from './peers/peer-link.ts'
import type { Turn } from './turn.ts'

export interface BootstrapParts {
  readonly self: MapNode
  readonly bootstrap: readonly NamedAddress[]
  readonly join: readonly string[]
  readonly network: Network
  readonly timers: Timers
  readonly random: Random
  readonly turn: Turn
  readonly hello: () => PeerHello
  /** All named nodes are blank and this one is the first: it forms the cluster of these nodes, in the order of the flag. */
  readonly form: (nodes: readonly MapNode[]) => void
  readonly event: (event: NodeEvent) => void
}

interface Asked {
  readonly address: string
  readonly name: string | null
  readonly link: PeerLink
  welcome: Welcome | null
}

/** How often an existing cluster is asked again. */
const JOIN_AGAIN_MS = 250

export class Bootstrap {
  readonly #parts: BootstrapParts
  readonly #asked: Asked[] = []
  readonly #callers = new Map<DirId, PeerHello>()
  #timer: Timer | null = null
  #ended = false

  constructor(parts: BootstrapParts) {
    this.#parts = parts
    for (const { name, address } of parts.bootstrap) if (name !== parts.self.name) this.#ask(address, name)
    for (const address of parts.join) this.#ask(address, null)
    parts.turn.at('propose', () => this.#judge())
  }

  /** A peer called, as blank as this node or not. */
  arrived(hello: PeerHello): void {
    this.#callers.set(hello.dirId, hello)
    this.#judge()
  }

  /** A cluster is believed only if it calls under a name that the flags gave; `--join` gives addresses, so any name. */
  trusts(name: string): boolean {
    return this.#parts.join.length > 0 || this.#parts.bootstrap.some((one) => one.name === name)
  }

  close(): void {
    this.#ended = true
    this.#timer?.cancel()
    for (const { link } of this.#asked) link.close()
  }

  #ask(address: string, name: string | null): void {
    const { network, timers, random, turn, hello, event } = this.#parts
    const asked: Asked = {
      address,
      name,
      welcome: null,
      link: new PeerLink({
        address,
        network,
        timers,
        random,
        turn,
        hello,
        welcomed: (welcome) => {
          asked.welcome = welcome
          this.#judge()
        },
        refused: (code, message) => event({ code: 'bootstrap_refused', address, reason: code, message }),
        lost: () => {
          asked.welcome = null
        },
      }),
    }
    this.#asked.push(asked)
  }

  #judge(): void {
    if (this.#ended) return
    if (this.#asked.some((asked) => asked.welcome !== null && asked.welcome.clusterId !== null))
      return this.#join()
    const [first] = this.#parts.bootstrap
    if (first?.name !== this.#parts.self.name) return
    const nodes: MapNode[] = [this.#parts.self]
    for (const { address, name } of this.#parts.bootstrap.slice(1)) {
      const asked = this.#asked.find((one) => one.address === address)
      const dirId = asked?.welcome?.dirId
      const caller = dirId === undefined ? undefined : this.#callers.get(dirId)
      // It answered blank, and said in its own hello where its clients go.
      if (dirId === undefined || caller === undefined) return
      nodes.push({ dirId, name, peerAddress: address, clientAddress: caller.clientAddress })
    }
    if (new Set<DirId>(nodes.map((node) => node.dirId)).size < nodes.length) return
    this.#ended = true
    this.#parts.form(nodes)
  }

  /** Every member that is reachable is asked; whoever leads the meta group adds this node, and the map comes by itself. */
  #join(): void {
    const { dirId, name, peerAddress, clientAddress } = this.#parts.self
    for (const { link, welcome } of this.#asked)
      if (welcome !== null && welcome.clusterId !== null)
        link.send({ type: 'join', name, dirId, peerAddress, clientAddress })
    if (this.#timer !== null) return
    this.#timer = this.#parts.timers.after(JOIN_AGAIN_MS, () => {
      this.#timer = null
      this.#judge()
    })
  }
}
