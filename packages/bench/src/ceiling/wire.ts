// What the processes of the ceiling say to each other. They trust each other: nothing is checked.
import { Packr, unpack } from 'msgpackr'
import type { ClientOptions, ServerOptions } from 'ws'

const packr = new Packr({ useRecords: false })

/** Identity, key, and for a write the value. */
export type CeilingOperation = readonly [number, string, Uint8Array?]

export const socketOptions: ClientOptions & ServerOptions = {
  perMessageDeflate: false,
  skipUTF8Validation: true,
}

export function pack(message: unknown): Buffer {
  return packr.pack(message)
}

export function unpackOperations(data: Uint8Array): CeilingOperation[] {
  return unpack(data) as CeilingOperation[]
}

/** The answer to operations: their identities. */
export function unpackIds(data: Uint8Array): number[] {
  return unpack(data) as number[]
}

/** One batch on its way to a follower: its number and its operations, packed once for the log and the followers. */
export function unpackBatch(data: Uint8Array): readonly [number, Uint8Array] {
  return unpack(data) as [number, Uint8Array]
}

/** A follower's answer: the batch is in its file, synced. */
export function unpackNumber(data: Uint8Array): number {
  return unpack(data) as number
}
