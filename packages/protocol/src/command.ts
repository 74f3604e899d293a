import type { GroupId } from './identity.ts'

/**
 * A user's value: opaque bytes (the client's codec made them) or a safe integer. On the wire one tag byte (0 bytes,
 * 1 integer) precedes the bytes, or the integer as a float64 LE.
 */
export type Value =
  | { readonly type: 'bytes'; readonly bytes: Uint8Array }
  | { readonly type: 'integer'; readonly integer: number }

/**
 * A command as apply sees it. Keys are bytes; strings exist only at the API. `ttl` is whole ms, 1 to `limits.ttlMs`: the
 * deadline is the log clock at the command's application + ttl (decision 0006).
 */
export type Command =
  | {
      readonly op: 'set'
      readonly sequence: number
      readonly notAfter: number
      readonly key: Uint8Array
      readonly value: Value
      readonly condition: Condition
      /** 0 = none: the entry lives on, whatever deadline the key had before. */
      readonly ttl: number
      /** Present: the entry is never evicted, until another `set` without it or a `del`. */
      readonly evict?: false
    }
  | {
      readonly op: 'del'
      readonly sequence: number
      readonly notAfter: number
      readonly key: Uint8Array
      readonly condition: Condition
    }
  | {
      readonly op: 'incr'
      readonly sequence: number
      readonly notAfter: number
      readonly key: Uint8Array
      readonly by: number
    }
  /** Gives an entry that exists a new deadline. */
  | {
      readonly op: 'touch'
      readonly sequence: number
      readonly notAfter: number
      readonly key: Uint8Array
      readonly condition: Condition
      readonly ttl: number
    }
  /** Takes an entry's deadline away. */
  | {
      readonly op: 'persist'
      readonly sequence: number
      readonly notAfter: number
      readonly key: Uint8Array
      readonly condition: Condition
    }

export type Condition =
  | { readonly type: 'always' }
  | { readonly type: 'ifVersion'; readonly version: number }
  | { readonly type: 'ifAbsent' }
  | { readonly type: 'ifPresent' }

/**
 * Sections are what a client sends and what a log entry holds, byte for byte: the leader validates headers and copies.
 * A log entry's payload is a concatenation of sections.
 */
export type Section =
  | CommandSection
  | OpenSessionSection
  | CloseSessionSection
  | FoundSection
  | TickSection
  | SweepSection
  | EvictSection

export interface CommandSection {
  readonly kind: 'commands'
  readonly group: GroupId
  /** `version` part of the session id `group.version`; the group part may differ from `group` after a move. */
  readonly session: SessionId
  readonly ackedUpTo: number
  readonly commands: readonly Command[]
}

export interface SessionId {
  readonly group: GroupId
  readonly version: number
}

/** Takes the next version: that is the new session's id. */
export interface OpenSessionSection {
  readonly kind: 'openSession'
  readonly group: GroupId
  readonly notAfter: number
}

export interface CloseSessionSection {
  readonly kind: 'closeSession'
  readonly group: GroupId
  readonly session: SessionId
}

/** By the shard's own leader: slots in state `none` with lastMove < epoch become `owned` in `epoch` (the meta index that founded the group). */
export interface FoundSection {
  readonly kind: 'found'
  readonly group: GroupId
  readonly epoch: number
  /** 2,048 bytes, bit `slot & 7` of byte `slot >> 3`. */
  readonly slots: Uint8Array
}

/** By the shard's own leader: changes nothing but the log clock, which the entry's stamp moves. */
export interface TickSection {
  readonly kind: 'tick'
  readonly group: GroupId
}

/** By the shard's own leader: removes the first `limit` expired entries in (deadline, key) order, each with its own version. */
export interface SweepSection {
  readonly kind: 'sweep'
  readonly group: GroupId
  /** 1 to `limits.sweepEntries`. */
  readonly limit: number
}

/** By the shard's own leader: removes each entry that still has exactly that version and may be evicted, with its own version. */
export interface EvictSection {
  readonly kind: 'evict'
  readonly group: GroupId
  /** 1 to `limits.evictEntries`. */
  readonly victims: readonly Victim[]
}

/** An entry as it was when it was chosen. */
export interface Victim {
  readonly key: Uint8Array
  readonly version: number
}

/** A linearizable read of up to 1,000 keys of one shard; never in a log. */
export interface ReadSection {
  readonly group: GroupId
  readonly keys: readonly Uint8Array[]
}

/** `(slot epoch, version, t)`: orders operations on a key (sessions.md). */
export interface Position {
  readonly epoch: number
  readonly version: number
  readonly t: number
}

/** Apply's verdict on one command, or a read's answer. Only `refused` says that this attempt had and will have no effect. */
export type Answer =
  | { readonly type: 'applied'; readonly position: Position; readonly result: Result }
  | { readonly type: 'refused'; readonly code: RefusalCode; readonly position: Position }

export type RefusalCode =
  | 'MOVED'
  | 'SESSION_EXPIRED'
  | 'SESSION_WINDOW'
  | 'STALE'
  | 'LATE'
  | 'UNKNOWN_COMMAND'
  | 'SESSIONS_FULL'

export type Result =
  /** set, conditional set: `version` is the new one. */
  | { readonly type: 'written'; readonly version: number }
  /** A lost condition; what was seen. `value` is absent if there was none, or (repeated answer over 1 KiB) left out with `valueOmitted`. */
  | {
      readonly type: 'lost'
      readonly version: number
      readonly value: Value | null
      readonly valueOmitted: boolean
    }
  | { readonly type: 'deleted'; readonly existed: boolean }
  /** touch, persist: the entry's version now; 0 = there was none. */
  | { readonly type: 'touched'; readonly version: number }
  | { readonly type: 'counted'; readonly version: number; readonly integer: number }
  | { readonly type: 'notANumber' }
  | { readonly type: 'overflow' }
  | { readonly type: 'sessionOpened'; readonly session: SessionId }
  | { readonly type: 'done' }
  /** A read's hit (`expiresAt` 0 = never) and miss. */
  | { readonly type: 'entry'; readonly version: number; readonly value: Value; readonly expiresAt: number }
  | { readonly type: 'absent' }
