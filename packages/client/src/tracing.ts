// Channels of `node:diagnostics_channel`: what a tracer subscribes to. Where nobody listens an operation pays one look.
import { channel, type Channel, tracingChannel, type TracingChannel } from 'node:diagnostics_channel'
import type { OperationEvent, OperationOptions } from './options.ts'

/**
 * One operation. Attributes are named by OpenTelemetry's stable conventions for databases where these have a name; those after
 * `quorate.outcome` are there from the operation's end on. Keys are bytes, and values are never told.
 */
export interface CommandTrace {
  readonly 'db.system.name': 'quorate'
  readonly 'db.operation.name': OperationEvent['op']
  readonly 'quorate.key': Uint8Array
  readonly 'quorate.slot': number
  'quorate.outcome'?: OperationEvent['outcome']
  'quorate.attempts'?: number
  'quorate.shard'?: number
  /** The code of the error. */
  'error.type'?: string
}

/** What came between two attempts of an operation. */
export interface RetryTrace {
  readonly op: string
  readonly attempts: number
  readonly code: string | null
}

/** `tracing:quorate:command:start` and its siblings. */
export const commandChannel: TracingChannel<string, CommandTrace> = tracingChannel('quorate:command')
/** Connections to nodes: `ready` and `reconnecting`, as the events of these names. */
export const connectChannel: Channel = channel('quorate:connect')
export const retryChannel: Channel = channel('quorate:retry')
export const topologyChannel: Channel = channel('quorate:topology')
export const leaderChannel: Channel = channel('quorate:leader')

interface Traced {
  readonly op: OperationEvent['op']
  readonly key: Uint8Array
  readonly slot: number
}

/** Runs an operation whose trace somebody follows. */
export function traced<T, Options extends OperationOptions>(
  { op, key, slot }: Traced,
  options: Options,
  run: (options: Options) => Promise<T>,
): Promise<T> {
  const context: CommandTrace = {
    'db.system.name': 'quorate',
    'db.operation.name': op,
    'quorate.key': key.slice(),
    'quorate.slot': slot,
  }
  const observer = (event: OperationEvent): void => {
    context['quorate.outcome'] = event.outcome
    context['quorate.attempts'] = event.attempts
    if (event.group !== null) context['quorate.shard'] = event.group
    if (event.code !== null) context['error.type'] = event.code
    options.observer?.(event)
  }
  return commandChannel.tracePromise(() => run({ ...options, observer }), context)
}
