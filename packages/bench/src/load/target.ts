// What a load process drives: Quorate or the ceiling.
import type { LoadKind } from '../measurement.ts'
import type { NextKey } from './keys.ts'

export interface TargetWork {
  readonly kind: LoadKind
  readonly outstanding: number
  readonly valueBytes: number
  readonly nextKey: NextKey
  /** Of every operation that succeeded. */
  readonly completed: (latencyMs: number) => void
  readonly failed: (error: unknown, key: string) => void
}

export interface Target {
  /** Keeps operations in flight until `stop` or the last key; resolves when none is in flight any more. */
  run(work: TargetWork): { readonly ended: Promise<void>; readonly stop: () => void }
  close(): Promise<void>
}

/** Not compressible and not constant, in case anything on the way compresses or deduplicates. */
export function valueOf(bytes: number): Uint8Array {
  return Uint8Array.from({ length: bytes }, (_, index) => (index * 167 + 13) & 0xff)
}
