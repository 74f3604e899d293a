// Writes out what a replica's flight was like when something broke, or when somebody asks (README, flight recorder).
import type { Raft } from '@quorate/raft'
import type { Runtime } from '@quorate/runtime'
import type { ReplicaHead, Storage } from '@quorate/storage'
import type { ReplicaHost } from '../replica/host.ts'
import type { Replica } from '../replica/replica.ts'
import { FlightFiles } from './flight-files.ts'
import { type Flight, FlightDeck, FlightRing } from './flight-ring.ts'
import { encodeRecording, type CoreRecording, type MachineRecording, type StoreRead } from './recording.ts'
import { recordedStore, runMachine } from './run-machine.ts'

/** Entries behind the checkpoint that a recording takes; with more it has no machine part. */
const ENTRY_BYTES_MAX = 67_108_864
/** What breaks again and again tells nothing new. */
const BREAKS_MAX = 4

export interface FlightParts {
  readonly host: Pick<ReplicaHost, 'entries' | 'exclusively' | 'event'>
  readonly runtime: Pick<Runtime, 'clock' | 'timers' | 'disk'>
  readonly storage: Pick<Storage, 'identity' | 'store' | 'lowOnSpace'>
  /** The node's name. */
  readonly name: string
  readonly dataDirectory: string
  readonly clusterId: () => string | null
  readonly durableHead: (group: number) => ReplicaHead | null
}

type Recorded = Pick<Replica, 'group' | 'incarnation' | 'raft' | 'state' | 'generation' | 'flight'>

export class FlightRecorder {
  readonly #parts: FlightParts
  readonly #files: FlightFiles
  readonly #deck: FlightDeck = new FlightDeck()
  #written = 0
  #breaks = 0

  constructor(parts: FlightParts) {
    this.#parts = parts
    const { runtime, dataDirectory, storage } = parts
    this.#files = new FlightFiles(runtime.disk, dataDirectory, () => storage.lowOnSpace)
  }

  ring(raft: Raft): FlightRing {
    return new FlightRing(this.#deck, raft)
  }

  /** The core broke an invariant at its newest input: the node halts, so that its machine is not recorded. */
  coreBroke(replica: Recorded, error: unknown): void {
    const broken = String(error)
    this.#atBreak(replica, () =>
      this.#write(replica, broken, coreOf(replica.flight.flight, null, broken), null, 'the node halted'),
    )
  }

  /** The machine threw, or is not in the state in which the others are. */
  machineBroke(replica: Recorded, reason: string): void {
    this.#atBreak(replica, () => this.record(replica, reason))
  }

  #atBreak({ group }: Recorded, write: () => Promise<string>): void {
    this.#breaks += 1
    if (this.#breaks > BREAKS_MAX) return
    write().catch((error: unknown) =>
      this.#parts.host.event({ code: 'flight_recording_failed', group, reason: String(error) }),
    )
  }

  /** Resolves with the path of the file. */
  async record(replica: Recorded, reason: string): Promise<string> {
    // Of one moment: everything below may change while the store is read.
    const core = coreOf(replica.flight.flight, replica.raft.image(), null)
    try {
      const machine = await this.#recordMachine(replica)
      return await this.#write(replica, reason, core, machine, null)
    } catch (error) {
      if (!(error instanceof NoMachineError)) throw error
      return this.#write(replica, reason, core, null, error.message)
    }
  }

  async #recordMachine({ group, generation, state }: Recorded): Promise<MachineRecording> {
    const { host, storage, durableHead, clusterId } = this.#parts
    const from = (durableHead(group)?.appliedIndex ?? 0) + 1
    const to = state.appliedIndex
    const live = hashOf(state)
    // The log may let them go as soon as this turn ends.
    const kept = from > to ? [] : host.entries(group, from, to, ENTRY_BYTES_MAX)
    if (kept === null || (kept.at(-1)?.index ?? to) < to)
      throw new NoMachineError('there is too much behind the newest checkpoint')
    return host.exclusively(async () => {
      const head = durableHead(group)
      // A checkpoint that was under way may have ended meanwhile.
      if (head !== null && head.appliedIndex > to)
        throw new NoMachineError('a checkpoint overtook the recording')
      const reads: StoreRead[] = []
      const begun = {
        clusterId: clusterId() ?? '',
        head: head === null ? null : headOf(head),
        entries: kept.filter(({ index }) => index > (head?.appliedIndex ?? 0)),
      }
      const source = recordedStore(storage.store, { group, generation }, reads)
      const end = await runMachine(group, begun, source, this.#breathe).catch((error: unknown) => {
        throw new NoMachineError(`the store did not give its rows: ${String(error)}`)
      })
      return { ...begun, reads, end, live }
    })
  }

  readonly #breathe = (): Promise<void> =>
    new Promise((resolve) => this.#parts.runtime.timers.endOfTurn(resolve))

  async #write(
    { group, incarnation }: Recorded,
    reason: string,
    core: CoreRecording,
    machine: MachineRecording | null,
    machineMissing: string | null,
  ): Promise<string> {
    const { name: node, storage, runtime } = this.#parts
    this.#written += 1
    const path = await this.#files.write(
      `${sortable(storage.identity.boot)}-${sortable(this.#written)}-group-${group}.flight`,
      encodeRecording({
        reason,
        node,
        at: runtime.clock.wallMs(),
        group,
        incarnation,
        core,
        machine,
        machineMissing,
      }),
    )
    this.#parts.host.event({ code: 'flight_recorded', group, path, reason })
    return path
  }
}

function hashOf(state: Recorded['state']): string | null {
  try {
    return state.stateHash()
  } catch {
    return null
  }
}

const sortable = (number: number): string => String(number).padStart(6, '0')

class NoMachineError extends Error {}

const headOf = ({ appliedIndex, appliedTerm, machine }: ReplicaHead): MachineRecording['head'] => ({
  appliedIndex,
  appliedTerm,
  machine,
})

function coreOf({ image, inputs }: Flight, end: CoreRecording['end'], broken: string | null): CoreRecording {
  return { image, inputs, end, broken }
}
