// Which versions of the wire protocol this code speaks, for its clients and its peers alike.
import { BadFrameError } from './bad-frame-error.ts'
import { isNatural } from './bytes/numbers.ts'
import { unpackFrame } from './bytes/plain-pack.ts'
import { clientFrameTypes, peerFrameTypes } from './frame-types.ts'

/** The newest version spoken here. */
export const PROTOCOL_VERSION = 1
export const PROTOCOL_VERSION_MIN = 1
export const PROTOCOL_VERSION_MAX: number = PROTOCOL_VERSION

/** A bit of a node's `features`: it serves reads by lease and stale reads. */
export const FEATURE_RELAXED_READS = 1

/** The newest version that both sides speak, given the other's range; null: none, refuse with `PROTOCOL_VERSION`. */
export function agreeProtocol(protocolMin: number, protocolMax: number): number | null {
  const version = Math.min(protocolMax, PROTOCOL_VERSION_MAX)
  return version >= Math.max(protocolMin, PROTOCOL_VERSION_MIN) ? version : null
}

/**
 * True for a hello, of a client or a peer, that names only versions unknown here. Its first two fields mean the same in
 * every version, whatever follows them: so a stranger hears `PROTOCOL_VERSION` instead of `BAD_FRAME`.
 */
export function offersOnlyOtherVersions(bytes: Uint8Array): boolean {
  if (bytes[0] !== clientFrameTypes.hello && bytes[0] !== peerFrameTypes.hello) return false
  let fields: unknown
  try {
    fields = unpackFrame(bytes)
  } catch (error) {
    if (error instanceof BadFrameError) return false
    throw error
  }
  const [protocolMin, protocolMax] = Array.isArray(fields) ? (fields as unknown[]) : []
  if (!isNatural(protocolMin) || !isNatural(protocolMax) || protocolMin > protocolMax) return false
  return agreeProtocol(protocolMin, protocolMax) === null
}
