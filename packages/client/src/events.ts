// What a client tells of its connections and its map, to listeners and to `node:diagnostics_channel`.
import type { ErrorCode, GroupId } from '@quorate/protocol'
import { connectChannel, leaderChannel, topologyChannel } from './tracing.ts'

/** Each event and what it brings. */
export interface ClientEvents {
  /** A node took this client's connection. */
  ready: { readonly address: string }
  /** A newer shard map. */
  topology: { readonly epoch: number }
  /** A shard's leader is another one than was known. */
  leader: { readonly shard: GroupId; readonly address: string }
  /** A connection to a node ended; it is dialled again when it is needed. */
  reconnecting: { readonly address: string; readonly code: ErrorCode; readonly message: string }
  /** Something went wrong that no operation's promise tells of; also what a listener threw. */
  error: { readonly error: unknown }
  /** The client was closed. */
  close: { readonly type: 'close' }
}

export type Listener<Type extends keyof ClientEvents> = (event: ClientEvents[Type]) => void

/** Listeners by event. One that throws harms neither the client nor the others: its error is an `error` event. */
export class Events {
  readonly #listeners = new Map<keyof ClientEvents, Set<(event: never) => void>>()

  /** Returns what takes the listener off again. */
  on<Type extends keyof ClientEvents>(type: Type, listener: Listener<Type>): () => void {
    // One registration of its own, also where the same function is registered twice.
    const registered = (event: ClientEvents[Type]): void => listener(event)
    const listeners = this.#listeners.get(type) ?? new Set()
    this.#listeners.set(type, listeners)
    listeners.add(registered)
    return () => void listeners.delete(registered)
  }

  emit<Type extends keyof ClientEvents>(type: Type, event: ClientEvents[Type]): void {
    publish(type, event)
    const listeners = this.#listeners.get(type)
    if (listeners === undefined) return
    for (const listener of listeners) {
      try {
        ;(listener as Listener<Type>)(event)
      } catch (error) {
        // What a listener for errors throws has nobody left who could hear of it.
        if (type !== 'error') this.emit('error', { error })
      }
    }
  }
}

function publish(type: keyof ClientEvents, event: object): void {
  if (type === 'topology') topologyChannel.publish(event)
  else if (type === 'leader') leaderChannel.publish(event)
  else if (type === 'ready' || type === 'reconnecting') connectChannel.publish({ type, ...event })
}
