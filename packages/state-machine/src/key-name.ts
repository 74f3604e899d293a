// Keys as map keys: a latin1 string has one character per byte, so names and keys are the same thing twice.

export function keyName(key: Uint8Array): string {
  return Buffer.from(key.buffer, key.byteOffset, key.byteLength).toString('latin1')
}

export function nameKey(name: string): Uint8Array {
  return new Uint8Array(Buffer.from(name, 'latin1'))
}
