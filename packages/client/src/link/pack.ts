// Turns the attempts that one event-loop turn collected for one node into as few frames as possible.
import {
  type ClientRequest,
  type Command,
  type GroupId,
  clientRequestBytes,
  encodeSection,
  limits,
} from '@quorate/protocol'
import { type Attempt, commandOf } from '../calls/call.ts'
import type { Session } from '../calls/session-pool.ts'
import { FRAME_OVERHEAD_BYTES } from '../limits.ts'

/** A request and the attempts it carries, in the order of the answers it will get. */
export interface PackedRequest {
  readonly request: ClientRequest
  readonly attempts: readonly Attempt[]
}

export interface PackContext {
  readonly notAfter: (attempt: Attempt) => number
  readonly nextRequestId: () => number
}

/** More than the fields of any command beside its key and value. */
const COMMAND_OVERHEAD_BYTES = 64

interface Batch {
  readonly group: GroupId
  readonly session: Session | null
  readonly attempts: Attempt[]
  bytes: number
}

/** Each element is one frame's requests. Commands of one session keep their order. */
export function packFrames(attempts: readonly Attempt[], context: PackContext): PackedRequest[][] {
  const frames: PackedRequest[][] = []
  let frame: PackedRequest[] = []
  let frameBytes = FRAME_OVERHEAD_BYTES
  for (const batch of batchesOf(attempts)) {
    const request = requestOf(batch, context)
    const bytes = clientRequestBytes(request)
    if (frame.length > 0 && frameBytes + bytes > limits.frameBytes) {
      frames.push(frame)
      frame = []
      frameBytes = FRAME_OVERHEAD_BYTES
    }
    frame.push({ request, attempts: batch.attempts })
    frameBytes += bytes
  }
  if (frame.length > 0) frames.push(frame)
  return frames
}

/** Commands by (session, group), reads by group; a batch holds 1,000 and 1 MiB, or a single one of any size. */
function batchesOf(attempts: readonly Attempt[]): Batch[] {
  const batches: Batch[] = []
  const writes = new Map<Session, Batch>()
  const reads = new Map<GroupId, Batch>()
  const start = (group: GroupId, session: Session | null): Batch => {
    const batch: Batch = { group, session, attempts: [], bytes: 0 }
    batches.push(batch)
    return batch
  }
  const admit = (known: Batch | undefined, attempt: Attempt, session: Session | null): Batch => {
    const bytes = attempt.call.bytes + COMMAND_OVERHEAD_BYTES
    const fits =
      known?.group === attempt.group &&
      known.attempts.length < limits.sectionCommands &&
      known.bytes + bytes <= limits.entryBytes
    const batch = fits ? known : start(attempt.group, session)
    batch.attempts.push(attempt)
    batch.bytes += bytes
    return batch
  }
  for (const attempt of attempts) {
    const { session, group } = attempt
    if (session !== null) writes.set(session, admit(writes.get(session), attempt, session))
    else if (attempt.call.body.kind === 'open' || attempt.alone) admit(undefined, attempt, null)
    else reads.set(group, admit(reads.get(group), attempt, null))
  }
  return batches
}

function requestOf(batch: Batch, context: PackContext): ClientRequest {
  const requestId = context.nextRequestId()
  const { group, session, attempts } = batch
  if (session !== null) {
    const commands: Command[] = []
    for (const attempt of attempts) addCommand(commands, attempt, context)
    const { id, ackedUpTo } = session
    const section = encodeSection({ kind: 'commands', group, session: id, ackedUpTo, commands })
    return { type: 'write', requestId, group, section }
  }
  const [first] = attempts
  if (first?.call.body.kind === 'open') {
    const section = encodeSection({ kind: 'openSession', group, notAfter: context.notAfter(first) })
    return { type: 'write', requestId, group, section }
  }
  const keys: Uint8Array[] = []
  for (const { call } of attempts) if (call.body.kind === 'read') keys.push(call.body.key)
  return { type: 'read', requestId, section: { group, keys } }
}

function addCommand(commands: Command[], attempt: Attempt, context: PackContext): void {
  const { call, session, sequence } = attempt
  if (call.body.kind !== 'write' || session === null) return
  commands.push(commandOf(call.body, sequence, context.notAfter(attempt)))
}
