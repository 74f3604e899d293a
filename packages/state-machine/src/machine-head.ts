// What a checkpoint keeps of a shard besides its rows. It repeats what the rows add up to, so that a missing row shows.
import { BadStateError } from './bad-state-error.ts'
import type { Hash } from './hash.ts'
import { rowReader } from './row-reader.ts'
import { rowWriter } from './row-writer.ts'

export interface MachineHead {
  readonly group: number
  /** Ms. */
  readonly clock: number
  readonly lastVersion: number
  readonly sessions: number
  readonly answerBytes: number
  readonly entries: number
  readonly entryBytes: number
  readonly slotHash: Hash
  readonly sessionHash: Hash
}

const MACHINE_FORMAT = 1
const MACHINE_BYTES = 69

export function encodeMachineHead(head: MachineHead): Uint8Array {
  const row = rowWriter(MACHINE_BYTES)
  row.u8(MACHINE_FORMAT)
  row.u32(head.group)
  row.number(head.clock)
  row.number(head.lastVersion)
  row.number(head.sessions)
  row.number(head.answerBytes)
  row.number(head.entries)
  row.number(head.entryBytes)
  for (const hash of [head.slotHash, head.sessionHash]) {
    row.u32(hash.low)
    row.u32(hash.high)
  }
  return row.finish()
}

export function decodeMachineHead(bytes: Uint8Array): MachineHead {
  const row = rowReader(bytes, 'machine head')
  const format = row.u8()
  if (format !== MACHINE_FORMAT) throw new BadStateError(`machine head: format ${format}`)
  const head = {
    group: row.u32(),
    clock: row.number(),
    lastVersion: row.number(),
    sessions: row.number(),
    answerBytes: row.number(),
    entries: row.number(),
    entryBytes: row.number(),
    slotHash: { low: row.u32(), high: row.u32() },
    sessionHash: { low: row.u32(), high: row.u32() },
  }
  row.end()
  return head
}
