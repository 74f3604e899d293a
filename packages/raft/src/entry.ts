import type { Configuration } from './configuration.ts'

/** What the core knows of a log entry. The payload stays with the host. */
export interface EntryMeta {
  /** From 1, without gaps. */
  readonly index: number
  readonly term: number
  /** Size of the encoded payload, for the limits on appends in flight and on uncommitted bytes. */
  readonly bytes: number
  /** Present only in configuration entries; in force as soon as the entry is in the log (dissertation 4.1). */
  readonly configuration?: Configuration
}
