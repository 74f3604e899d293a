// Which versions of the wire protocol this code speaks, for its clients and its peers alike.

/** The newest version spoken here. */
export const PROTOCOL_VERSION = 1
export const PROTOCOL_VERSION_MIN = 1
export const PROTOCOL_VERSION_MAX: number = PROTOCOL_VERSION

/** The newest version that both sides speak, given the other's range; null: none, refuse with `PROTOCOL_VERSION`. */
export function agreeProtocol(protocolMin: number, protocolMax: number): number | null {
  const version = Math.min(protocolMax, PROTOCOL_VERSION_MAX)
  return version >= Math.max(protocolMin, PROTOCOL_VERSION_MIN) ? version : null
}
