// What holds for every frame, in both directions.
import assert from 'node:assert/strict'
import { BadFrameError } from './bad-frame-error.ts'
import { limits } from './limits.ts'

/** Returns a frame that may be sent. Who fills frames cuts them before: a longer one is a programming mistake. */
export function checkedFrame(frame: Uint8Array): Uint8Array {
  if (frame.length > limits.frameBytes) assert.fail(`a frame of ${frame.length} bytes`)
  return frame
}

/** Returns a rare frame after its own decoder took it: a field beyond its limits shows here, not at the other side. */
export function decodableFrame(frame: Uint8Array, decode: (bytes: Uint8Array) => unknown): Uint8Array {
  try {
    decode(checkedFrame(frame))
  } catch (error) {
    if (error instanceof BadFrameError) assert.fail(`a frame that no decoder takes: ${error.message}`)
    throw error
  }
  return frame
}

/** The first byte of a frame that came. */
export function frameTypeOf(bytes: Uint8Array): number {
  if (bytes.length > limits.frameBytes) throw new BadFrameError(`a frame of ${bytes.length} bytes`)
  const [type] = bytes
  if (type === undefined) throw new BadFrameError('an empty frame')
  return type
}
