// A flight recording as a file: a line that says what it is, a checksum, then MessagePack.
import type { Input, RaftImage } from '@quorate/raft'
import type { LogEntry, StateRow } from '@quorate/storage'
import { Packr } from 'msgpackr'
import { crc32 } from 'node:zlib'

const MAGIC = 'quorate flight recording 1\n'
const HEAD_BYTES = MAGIC.length + 4

export interface Recording {
  /** Why it was written, in words. */
  readonly reason: string
  readonly node: string
  /** Wall clock of the node, ms. */
  readonly at: number
  readonly group: number
  readonly incarnation: number
  readonly core: CoreRecording
  /** Null where the machine could not be recorded; `machineMissing` says why. */
  readonly machine: MachineRecording | null
  readonly machineMissing: string | null
}

export interface CoreRecording {
  readonly image: RaftImage
  readonly inputs: readonly Input[]
  /** What it came to: the state behind the last input, or what that input broke. */
  readonly end: RaftImage | null
  readonly broken: string | null
}

export interface MachineRecording {
  readonly clusterId: string
  /** The newest durable checkpoint; null where none was made yet. */
  readonly head: {
    readonly appliedIndex: number
    readonly appliedTerm: number
    readonly machine: Uint8Array
  } | null
  /** Everything that was read of the store, in the order in which it was read. */
  readonly reads: readonly StoreRead[]
  /** Committed entries behind the checkpoint, in order. */
  readonly entries: readonly LogEntry[]
  /** What came of them when they were applied again for the recording, from the same checkpoint. */
  readonly end: MachineEnd
  /** State hash of the machine that was serving, null where apply had left it in the middle of an entry. */
  readonly live: string | null
}

export type StoreRead =
  | { readonly type: 'beginning'; readonly rows: readonly StateRow[] }
  | { readonly type: 'rows'; readonly values: readonly (Uint8Array | null)[] }
  | { readonly type: 'scan'; readonly rows: readonly Pick<StateRow, 'key' | 'value'>[] }

export interface MachineEnd {
  readonly appliedIndex: number
  /** Null where apply threw. */
  readonly stateHash: string | null
  readonly broken: string | null
}

/** These bytes are no recording, or not a whole one. */
export class BadRecordingError extends Error {
  override readonly name = 'BadRecordingError'
}

const packr = new Packr({ useRecords: false, int64AsType: 'number' })

export function encodeRecording(recording: Recording): Uint8Array {
  const body = packr.pack(recording)
  const bytes = Buffer.alloc(HEAD_BYTES + body.length)
  bytes.write(MAGIC, 'latin1')
  bytes.writeUInt32LE(crc32(body), MAGIC.length)
  bytes.set(body, HEAD_BYTES)
  return bytes
}

/** Throws `BadRecordingError`. What a recording says of itself is believed: its replay shows whether it holds. */
export function decodeRecording(bytes: Uint8Array): Recording {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (buffer.length < HEAD_BYTES || buffer.toString('latin1', 0, MAGIC.length) !== MAGIC)
    throw new BadRecordingError('this is no flight recording of a version that this program reads')
  const body = buffer.subarray(HEAD_BYTES)
  if (crc32(body) !== buffer.readUInt32LE(MAGIC.length))
    throw new BadRecordingError('the recording is damaged: its checksum does not fit')
  const decoded: unknown = packr.unpack(body)
  if (typeof decoded !== 'object' || decoded === null || !('core' in decoded) || !('machine' in decoded))
    throw new BadRecordingError('the recording lacks its parts')
  return decoded as Recording
}
