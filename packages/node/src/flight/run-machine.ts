// Takes a state machine from a checkpoint through committed entries: over the store, to record it, or over a recording.
import type { ReplicatedState, RowKey, RowScan } from '@quorate/state-machine'
import type { LogEntry, StateRow, StateStore } from '@quorate/storage'
import { rowsBeforeEntries, stateFrom } from '../replica/restore-state.ts'
import type { MachineEnd, MachineRecording, StoreRead } from './recording.ts'
import { BadRecordingError } from './recording.ts'

/** A millisecond or two of applying. */
const ENTRIES_PER_BREATH = 16

/** Where rows come from. */
export interface RowSource {
  /** Rows that come before the entries. */
  beginning(): Promise<readonly StateRow[]>
  /** Values in the order of the keys. */
  rows(keys: readonly RowKey[]): Promise<readonly (Uint8Array | undefined)[]>
  scan(from: RowScan): Promise<readonly Pick<StateRow, 'key' | 'value'>[]>
}

/** The store as it is; what it gives is added to `reads`. */
export function recordedStore(
  store: StateStore,
  replica: { readonly group: number; readonly generation: number },
  reads: StoreRead[],
): RowSource {
  const { group, generation } = replica
  return {
    async beginning() {
      const rows = await rowsBeforeEntries(store, group, generation)
      reads.push({ type: 'beginning', rows })
      return rows
    },
    async rows(keys) {
      const values = await store.getMany(group, generation, keys)
      reads.push({ type: 'rows', values: values.map((value) => value ?? null) })
      return values
    },
    async scan(from) {
      const rows = await store.scan(group, generation, from)
      reads.push({ type: 'scan', rows: rows.map(({ key, value }) => ({ key, value })) })
      return rows
    },
  }
}

/** A recording in place of the store: what is read is what was read. */
export function replayedStore(reads: readonly StoreRead[]): RowSource {
  let at = 0
  const next = <Type extends StoreRead['type']>(type: Type): Extract<StoreRead, { type: Type }> => {
    const read = reads[at]
    at += 1
    if (read?.type !== type)
      throw new BadRecordingError(`read ${at} of the store is ${read?.type ?? 'missing'}, not ${type}`)
    return read as Extract<StoreRead, { type: Type }>
  }
  return {
    beginning: async () => next('beginning').rows,
    rows: async () => next('rows').values.map((value) => value ?? undefined),
    scan: async () => next('scan').rows,
  }
}

/** `breathe` is awaited now and then: a live node has other things to do. */
export async function runMachine(
  group: number,
  { clusterId, head, entries }: Pick<MachineRecording, 'clusterId' | 'head' | 'entries'>,
  source: RowSource,
  breathe: () => Promise<void>,
): Promise<MachineEnd> {
  const rows = head === null ? [] : await source.beginning()
  const state = stateFrom(group, clusterId, head, rows, {})
  for (const [at, entry] of entries.entries()) {
    if (at % ENTRIES_PER_BREATH === 0) await breathe()
    const broken = await applyOne(state, entry, source)
    if (broken !== null) return { appliedIndex: state.appliedIndex, stateHash: null, broken }
  }
  return { appliedIndex: state.appliedIndex, stateHash: state.stateHash(), broken: null }
}

/** What the machine threw, null if nothing. What the source throws is no matter of the machine. */
async function applyOne(state: ReplicatedState, entry: LogEntry, source: RowSource): Promise<string | null> {
  let looked = thrownBy(() => state.prefetch(entry))
  while (looked.broken === null && state.scan !== null) {
    const { scan } = state
    const rows = await source.scan(scan)
    const { broken } = thrownBy(() => scan.complete(rows))
    looked = broken === null ? thrownBy(() => state.prefetch(entry)) : { broken }
  }
  if (looked.broken !== null) return looked.broken
  const keys = looked.result
  const rows = keys.length === 0 ? [] : await source.rows(keys)
  return thrownBy(() => state.apply(entry, rows)).broken
}

type Outcome<Result> = { readonly broken: null; readonly result: Result } | { readonly broken: string }

function thrownBy<Result>(run: () => Result): Outcome<Result> {
  try {
    return { broken: null, result: run() }
  } catch (error) {
    return { broken: String(error) }
  }
}
