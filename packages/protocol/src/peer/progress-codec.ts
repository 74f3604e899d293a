// The question whether a connection is alive, and the answer, which is also the receiver's grant of further appends.
import assert from 'node:assert/strict'
import { ByteReader } from '../bytes/byte-reader.ts'
import { ByteWriter } from '../bytes/byte-writer.ts'
import { peerFrameTypes } from '../frame-types.ts'
import type { PeerFrame } from '../peer-frame.ts'

type Frame<Type extends PeerFrame['type']> = Extract<PeerFrame, { type: Type }>

/** `type u8`, one f64. */
const PROBE_BYTES = 9
/** `type u8`, two f64. */
const PROGRESS_BYTES = 17

export function encodeProbe({ sent }: Frame<'probe'>): Uint8Array {
  const writer = new ByteWriter(PROBE_BYTES)
  writer.u8(peerFrameTypes.probe, 'frame type')
  writer.natural(sent, 'sent')
  return writer.finish()
}

export function decodeProbe(bytes: Uint8Array): Frame<'probe'> {
  const reader = new ByteReader(bytes, 1)
  const sent = reader.natural()
  reader.end()
  return { type: 'probe', sent }
}

export function encodeProgress({ received, done }: Frame<'progress'>): Uint8Array {
  assert.ok(done <= received, 'no more is done than was received')
  const writer = new ByteWriter(PROGRESS_BYTES)
  writer.u8(peerFrameTypes.progress, 'frame type')
  writer.natural(received, 'received')
  writer.natural(done, 'done')
  return writer.finish()
}

export function decodeProgress(bytes: Uint8Array): Frame<'progress'> {
  const reader = new ByteReader(bytes, 1)
  const received = reader.natural()
  const done = reader.natural()
  if (done > received) reader.fail('more done than received')
  reader.end()
  return { type: 'progress', received, done }
}
