// A node's part in who is a member of what: changes of the groups it leads, balanced leaders, and frames about both.
import { BadFrameError, type DirId, type GroupId, META_GROUP, type PeerFrame } from '@quorate/protocol'
import type { MapHolder } from '../map-holder.ts'
import type { MetaController } from '../meta/controller.ts'
import {
  decodeMembershipReport,
  encodeMetaCommand,
  type MembershipCommand,
  type MembershipReport,
} from '../meta/meta-command.ts'
import { MembershipRefusedError } from '../meta/membership-request.ts'
import type { NodeEvent } from '../node.ts'
import type { Replica } from '../replica/replica.ts'
import type { Replicas } from '../replica/replicas.ts'
import { LeaderBalancer } from './leader-balancer.ts'
import { MembershipDriver } from './membership-driver.ts'

export interface MembershipParts {
  readonly self: DirId
  readonly map: MapHolder
  readonly replicas: Replicas
  readonly balanceLeadersMs: number
  readonly controller: () => MetaController | null
  readonly now: () => number
  readonly draw: () => number
  readonly isHealthy: (node: DirId) => boolean
  readonly send: (node: DirId, frame: PeerFrame) => void
  readonly broadcast: (frame: PeerFrame) => void
  readonly event: (event: NodeEvent) => void
}

type MembershipFrame = Extract<PeerFrame, { type: 'excluded' | 'metaReport' | 'load' }>

export class Membership {
  readonly #parts: MembershipParts
  readonly #driver: MembershipDriver
  readonly #balancer: LeaderBalancer

  constructor(parts: MembershipParts) {
    this.#parts = parts
    const { map, now, draw, isHealthy, broadcast } = parts
    const replica = (group: number): Replica | undefined => parts.replicas.get(group)?.replica
    this.#driver = new MembershipDriver({ map, replica, now, isHealthy, report: (one) => this.#report(one) })
    this.#balancer = new LeaderBalancer({
      everyMs: parts.balanceLeadersMs,
      map,
      replicas: () => this.#replicas(),
      replica,
      now,
      draw,
      isHealthy,
      broadcast,
    })
  }

  tick(): void {
    this.#driver.tick()
    this.#balancer.tick()
  }

  leadershipChanged(): void {
    this.#balancer.leadershipChanged()
  }

  /** Of strangers nothing is believed, and of members only what is about groups that they host by the map of this node. */
  received(from: DirId, frame: MembershipFrame): void {
    switch (frame.type) {
      case 'excluded':
        if (this.#hosts(from, frame.group)) this.#parts.replicas.excluded(frame)
        return
      case 'load':
        if (this.#parts.map.node(from) !== null) this.#balancer.heard(from, frame.leads)
        return
      case 'metaReport':
        return this.#reported(from, frame.command)
    }
  }

  /** What this node does about the group's open change; null if it does not lead the group. */
  stepOf(group: number): string | null {
    return this.#driver.stepOf(group)
  }

  /** Resolves with the index at which meta accepted it; rejects with `MembershipRefusedError`. */
  request(command: MembershipCommand): Promise<number> {
    return new Promise((resolve, reject) => {
      const refused = (code: MembershipRefusedError['code']): void =>
        reject(new MembershipRefusedError(code, `${command.type} was refused: ${code}`))
      const controller = this.#parts.controller()
      if (controller === null) return refused('NOT_LEADER')
      controller.request({ command, accepted: resolve, refused })
    })
  }

  /** To every node of the meta group: whoever leads it acts, and does so once however often it is told. */
  #report(report: MembershipReport): void {
    const { self, map, send, controller } = this.#parts
    const frame: PeerFrame = { type: 'metaReport', command: encodeMetaCommand(report) }
    const meta = map.map?.groups.find((one) => one.group === META_GROUP)
    for (const { node } of meta?.replicas ?? [])
      if (node === self) controller()?.report(report)
      else send(node, frame)
  }

  #hosts(node: DirId, group: GroupId): boolean {
    const known = this.#parts.map.map?.groups.find((one) => one.group === group)
    return known?.replicas.some((replica) => replica.node === node) ?? false
  }

  #reported(from: DirId, command: Uint8Array): void {
    try {
      const report = decodeMembershipReport(command)
      if (this.#hosts(from, report.group)) this.#parts.controller()?.report(report)
    } catch (error) {
      if (!(error instanceof BadFrameError)) throw error
      this.#parts.event({ code: 'peer_bad_report', peer: from, reason: error.message })
    }
  }

  *#replicas(): Iterable<Replica> {
    for (const { replica } of this.#parts.replicas.all()) yield replica
  }
}
