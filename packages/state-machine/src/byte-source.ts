// Bytes that are read in place, at any offset: a payload, or a value alone.

export interface ByteSource {
  readonly bytes: Uint8Array
  /** The same bytes. */
  readonly view: DataView
}

export function byteSource(bytes: Uint8Array): ByteSource {
  return { bytes, view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength) }
}
