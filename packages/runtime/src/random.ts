/** Chance, injected so that one seed reproduces a run. */
export interface Random {
  /** Uniform in [0, 1). */
  next(): number
  /** `length` unpredictable bytes (identities); in a simulation, from the seed. */
  bytes(length: number): Uint8Array
}
