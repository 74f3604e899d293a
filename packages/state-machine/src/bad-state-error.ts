/** Bytes that a checkpoint or a row should hold are not what this package writes. The replica must not use them. */
export class BadStateError extends Error {
  override readonly name = 'BadStateError'
}
