/** Reads time. Both readings are injected so that a whole cluster can run under virtual time. */
export interface Clock {
  /** Milliseconds (fractional) since an arbitrary point of this process; never goes back. */
  monotonicMs(): number
  /** Milliseconds since the Unix epoch as this machine believes it; may jump either way. Never decides anything alone. */
  wallMs(): number
}
