// The invariants that hold at every moment of every run, and where they look: nodes, wire, disks, answers.
import { DurableQuorum } from '../check/durable-quorum.ts'
import { ReplicaProgress } from '../check/replica-progress.ts'
import { StateHashes } from '../check/state-hashes.ts'
import type { Violation } from '../check/violation.ts'
import { WireRules } from '../check/wire-rules.ts'
import type { Operation } from '../workload/history.ts'
import { observeFrame, type ObservedMessage, readPeerFrame } from './observed-message.ts'
import type { SimulatedCluster } from './simulated-cluster.ts'
import type { RunPlan } from './swarm.ts'
import type { World } from './world.ts'

/** Copies of a group whose members change: never fewer. */
const MEMBERS_MIN = 3

/** One broken rule is broken again and again. */
const TOLD_MAX = 5

export class AlwaysOn {
  readonly #world: World
  readonly #cluster: SimulatedCluster
  readonly #hashes = new StateHashes()
  readonly #progress = new ReplicaProgress()
  readonly #wire = new WireRules()
  readonly #durable = new DurableQuorum()
  /** Whether groups may be smaller than they are now. */
  readonly #changing: boolean
  /** By group. */
  readonly #quorums = new Map<number, number>()

  constructor(
    world: World,
    cluster: SimulatedCluster,
    plan: RunPlan,
    message?: (message: ObservedMessage) => void,
  ) {
    this.#world = world
    this.#cluster = cluster
    this.#changing = plan.faults.includes('members')
    // Before a peer has told it anything.
    world.nodeStarted = (name) => {
      this.#progress.started(name)
      const machine = cluster.machine(name)
      const status = machine.status()
      if (status !== null) this.#progress.observe(status, !machine.damaged)
    }
    world.logSynced = (machine, bytes) => this.#durable.synced(machine, bytes)
    world.frameArrived = (from, to, bytes) => {
      if (!isNode(from) || !isNode(to)) return
      const frame = readPeerFrame(bytes)
      if (frame === null) return
      if (frame.type === 'messages') for (const one of frame.messages) this.#wire.observe(one)
      if (message !== undefined)
        for (const one of observeFrame(world.time.nowMs, from, to, frame)) message(one)
    }
  }

  /** How many states had a counterpart to be compared with, and how many acknowledged writes were looked for on the disks. */
  get compared(): { readonly hashes: number; readonly durable: number } {
    return { hashes: this.#hashes.compared, durable: this.#durable.judged }
  }

  get violations(): Violation[] {
    return [this.#hashes, this.#progress, this.#wire, this.#durable].flatMap(({ violations }) =>
      violations.slice(0, TOLD_MAX),
    )
  }

  /** A client got an answer at this moment. */
  answered(operation: Operation): void {
    if (operation.type === 'ok' && operation.shard !== null)
      this.#durable.acknowledged(operation, this.#quorumOf(operation.shard))
  }

  /** Of the smallest configuration that may have committed what was just answered. */
  #quorumOf(group: number): number {
    const known = this.#quorums.get(group)
    if (known !== undefined) return known
    const replicas = this.#cluster
      .statuses()
      .flatMap(({ shards }) => shards.filter((one) => one.group === group))
    const copies = this.#changing ? MEMBERS_MIN : Math.min(...replicas.map(({ voters }) => voters.length))
    const quorum = Math.floor(copies / 2) + 1
    // Nobody may be there to ask at this moment.
    if (!Number.isFinite(quorum)) return Math.floor(MEMBERS_MIN / 2) + 1
    this.#quorums.set(group, quorum)
    return quorum
  }

  /** Looks at every node. */
  look(): void {
    const clusters = new Set<string>()
    for (const machine of this.#cluster.machines) {
      const status = machine.status()
      if (status === null) continue
      this.#hashes.observe(status)
      this.#progress.observe(status, !machine.damaged)
      if (status.clusterId !== null) clusters.add(status.clusterId)
    }
    if (clusters.size > 1) this.#world.fail(`there is more than one cluster: ${[...clusters].join(' ')}`)
  }
}

function isNode(host: string): boolean {
  return host.startsWith('n')
}
