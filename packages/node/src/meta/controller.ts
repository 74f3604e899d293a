// Drives the meta group while this node leads it: forms the cluster, opens it, lets nodes in, keeps its members (shards.md).
import { type DirId, type MapNode, META_GROUP } from '@quorate/protocol'
import type { Replica, ReplicaBehaviour } from '../replica/replica.ts'
import type { Turn } from '../turn.ts'
import type { MembershipRequest } from './membership-request.ts'
import {
  encodeMetaCommand,
  type MembershipCommand,
  type MembershipReport,
  type MetaCommand,
} from './meta-command.ts'
import type { MetaState } from './meta-state.ts'
import { planMetaMembers } from './plan-meta-members.ts'

/** What the founder wrote down before the cluster existed. */
export interface Founding {
  readonly clusterId: string
  readonly nodes: readonly MapNode[]
  readonly shards: number
  readonly replicas: number
  readonly bytesMax: number
}

export interface ControllerParts {
  readonly replica: Replica
  readonly turn: Turn
  readonly founding: Founding | null
  /** This node itself, or one that answered lately. */
  readonly isHeard: (node: DirId) => boolean
  /** The map as committed. */
  readonly mapChanged: (state: MetaState) => void
}

/** Each step is decided from committed state alone and is legal once: whoever leads next goes on where this one stopped. */
export class MetaController implements ReplicaBehaviour {
  readonly #parts: ControllerParts
  readonly #joining: MapNode[] = []
  readonly #reports: MembershipReport[] = []
  readonly #requests: MembershipRequest[] = []
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
    if (this.#joining.length < WAITING_MAX && !this.#joining.some((one) => one.dirId === node.dirId))
      this.#joining.push(node)
  }

  /** The leader of a group says how its change goes; lost reports are repeated. */
  report(report: MembershipReport): void {
    if (!this.#parts.replica.isLeader) return
    if (this.#reports.length >= WAITING_MAX || this.#reports.some((one) => isSame(one, report))) return
    this.#reports.push(report)
    this.#parts.turn.at('propose', this.#next)
  }

  request(request: MembershipRequest): void {
    if (!this.#parts.replica.isLeader) return request.refused('NOT_LEADER')
    if (this.#requests.length >= WAITING_MAX) return request.refused('OVERLOADED')
    this.#requests.push(request)
    this.#parts.turn.at('propose', this.#next)
  }

  tick(): void {
    this.#next()
  }

  roleChanged(): void {
    this.#joining.length = 0
    if (this.#parts.replica.isLeader) return
    this.#reports.length = 0
    for (const request of this.#requests.splice(0)) request.refused('NOT_LEADER')
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

  ended(): void {
    this.#joining.length = 0
    this.#reports.length = 0
    for (const request of this.#requests.splice(0)) request.refused('NOT_LEADER')
  }

  /** Looks at the committed state and takes the next step, if this node leads and knows all that is committed. */
  readonly #next = (): void => {
    const { replica } = this.#parts
    if (!replica.isLeader || !replica.raft.servesReads || replica.condition !== 'live') return
    if (this.#proposing || replica.state.appliedIndex < replica.raft.commitIndex) return
    const state = this.#state
    if (!state.formed) return this.#form()
    const report = this.#reports.shift()
    if (report !== undefined) return this.#propose(report)
    if (!state.open) return this.#openWhenAllAreIn(state)
    const request = this.#requests.shift()
    if (request !== undefined) return this.#carryOut(request)
    const node = this.#joining.shift()
    if (node !== undefined && !known(state, node)) return this.#propose({ type: 'addNode', node })
    const nodes = planMetaMembers(state.map, this.#parts.isHeard)
    if (nodes !== null) this.#propose({ type: 'assign', group: META_GROUP, nodes })
  }

  #form(): void {
    const { founding } = this.#parts
    if (founding === null) return
    const { nodes, shards, replicas, bytesMax } = founding
    this.#propose({ type: 'form', nodes, shards, replicas, bytesMax })
  }

  /** The first nodes come into the meta group by a change like any other. */
  #openWhenAllAreIn({ map }: MetaState): void {
    if (map.groups[0]?.change === null) this.#propose({ type: 'open' })
  }

  #carryOut({ command, accepted, refused }: MembershipRequest): void {
    if (!this.#leavesLiveQuorum(command)) return refused('NO_LIVE_QUORUM')
    this.#propose(command, {
      applied: () => {
        const state = this.#state
        if (state.refused === null) accepted(state.appliedIndex)
        else refused(state.refused)
      },
      refused: () => refused('NOT_LEADER'),
      open: () => refused('UNKNOWN'),
    })
  }

  /** What this node hears is not replicated state, so it is judged here; the group's own leader judges again (rule 9). */
  #leavesLiveQuorum(command: MembershipCommand): boolean {
    if (command.type !== 'assign') return true
    return command.nodes.filter(this.#parts.isHeard).length * 2 > command.nodes.length || unnamed(command)
  }

  #propose(command: MetaCommand, outcome: Outcome = nobody): void {
    this.#proposing = true
    const ended = (how: () => void) => (): void => {
      this.#proposing = false
      how()
      this.#parts.turn.at('propose', this.#next)
    }
    const { replica, turn } = this.#parts
    replica.proposals.enqueue({
      bytes: encodeMetaCommand(command),
      requester: {
        answers: ended(outcome.applied),
        refused: ended(outcome.refused),
        open: ended(outcome.open),
      },
    })
    turn.at('propose', () => replica.proposeQueued())
  }
}

interface Outcome {
  /** Called while the state is as the command left it. */
  readonly applied: () => void
  readonly refused: () => void
  readonly open: () => void
}

const nobody: Outcome = { applied: () => {}, refused: () => {}, open: () => {} }

/** Nobody at all: refused for that, where the map is known. */
const unnamed = (command: Extract<MembershipCommand, { type: 'assign' }>): boolean =>
  command.nodes.length === 0

const isSame = (left: MembershipReport, right: MembershipReport): boolean =>
  left.type === right.type &&
  left.group === right.group &&
  left.change === right.change &&
  left.term === right.term

const known = (state: MetaState, node: MapNode): boolean =>
  state.map.removed.includes(node.dirId) ||
  state.map.nodes.some(
    (one) =>
      one.dirId === node.dirId &&
      one.peerAddress === node.peerAddress &&
      one.clientAddress === node.clientAddress,
  )

/** Nodes that may wait to be added, reports and requests that may wait for their turn; more ask again. */
const WAITING_MAX = 64
