/**
 * Bytes from outside are not what the wire format says. The only error that a decoder of this package throws: the
 * receiver closes the connection (or, for a section, refuses it as `BAD_FRAME`, not done).
 */
export class BadFrameError extends Error {
  override readonly name = 'BadFrameError'
  readonly code = 'BAD_FRAME'
}
