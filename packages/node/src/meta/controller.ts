// Drives the meta group while this node leads it: forms the cluster, brings its first nodes in, opens it (shards.md, bootstrap).
import type { MapNode } from '@quorate/protocol'
import type { Replica, ReplicaBehaviour } from '../replica/replica.ts'
import type { Turn } from '../turn.ts'
import { encodeMetaCommand, type MetaCommand } from './meta-command.ts'
import type { MetaState } from './meta-state.ts'

/** What the founder wrote down before the cluster existed. */
export interface Founding {
  readonly clusterId: string
  readonly nodes: readonly MapNode[]
  readonly shards: number
  readonly replicas: number
}

export interface ControllerParts {
  readonly replica: Replica
  readonly turn: Turn
  readonly founding: Founding | null
  /** The map as committed. */
  readonly mapChanged: (state: MetaState) => void
}

/** Each step is decided from committed state alone and is legal once: whoever leads next goes on where this one stopped. */
export class MetaController implements ReplicaBehaviour {
  readonly #parts: ControllerParts
  readonly #joining: MapNode[] = []
  #proposing = false

  constructor(parts: ControllerParts) {
    this.#parts = parts
    parts.mapChanged(this.#state)
  }

  get #state(): MetaState {
    return this.#parts.replica.state as MetaState
  }

  /** A blank node asked to be added; only a leader does anything about it. */
  join(node: MapNode): void {
    if (this.#joining.length < JOINING_MAX && !this.#joining.some((one) => one.dirId === node.dirId))
      this.#joining.push(node)
  }

  /** Looks at the committed state and takes the next step, if this node leads and knows all that is committed. */
  tick(): void {
    const { replica } = this.#parts
    if (!replica.isLeader || !replica.raft.servesReads || replica.condition !== 'live') return
    if (this.#proposing || replica.state.appliedIndex < replica.raft.commitIndex) return
    const state = this.#state
    if (!state.formed) return this.#form()
    if (this.#bringMembersIn(state)) return
    if (!state.open) return this.#propose({ type: 'open' })
    const node = this.#joining.shift()
    if (node !== undefined && !known(state, node)) this.#propose({ type: 'addNode', node })
  }

  roleChanged(): void {
    this.#joining.length = 0
  }

  applied(): void {
    this.#parts.mapChanged(this.#state)
  }

  readsConfirmed(): void {}
  readsDropped(): void {}

  /** Also where the state came as a snapshot, without entries. */
  appliedUpTo(): void {
    this.#parts.mapChanged(this.#state)
  }

  ended(): void {}

  #form(): void {
    const { founding } = this.#parts
    if (founding === null) return
    this.#propose({
      type: 'form',
      nodes: founding.nodes,
      shards: founding.shards,
      replicas: founding.replicas,
    })
  }

  /** True while a minted member of the meta group is no voter yet: learner first, voter when it has caught up (rule 9). */
  #bringMembersIn(state: MetaState): boolean {
    const { replica } = this.#parts
    const { voters, outgoing, learners } = replica.raft.configuration
    if (outgoing.length > 0) return true
    const members = state.map.groups[0]?.replicas ?? []
    for (const { incarnation } of members) {
      if (voters.includes(incarnation)) continue
      if (!learners.includes(incarnation))
        replica.step({
          type: 'proposeConfiguration',
          voters,
          learners: ascending([...learners, incarnation]),
        })
      else if ((replica.raft.matchIndexOf(incarnation) ?? 0) >= replica.raft.commitIndex)
        replica.step({
          type: 'proposeConfiguration',
          voters: ascending([...voters, incarnation]),
          learners: learners.filter((one) => one !== incarnation),
        })
      return true
    }
    return false
  }

  #propose(command: MetaCommand): void {
    this.#proposing = true
    const ended = (): void => {
      this.#proposing = false
    }
    const { replica, turn } = this.#parts
    replica.proposals.enqueue({
      bytes: encodeMetaCommand(command),
      requester: { answers: ended, refused: ended, open: ended },
    })
    turn.at('propose', () => replica.proposeQueued())
  }
}

const ascending = (ids: readonly number[]): number[] => [...ids].toSorted((left, right) => left - right)

const known = (state: MetaState, node: MapNode): boolean =>
  state.map.nodes.some(
    (one) =>
      one.dirId === node.dirId &&
      one.peerAddress === node.peerAddress &&
      one.clientAddress === node.clientAddress,
  )

/** Nodes that may wait to be added; more ask again. */
const JOINING_MAX = 64
