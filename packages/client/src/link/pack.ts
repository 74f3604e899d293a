// Turns the attempts that one event-loop turn collected for one node into as few frames as possible.
import {
  COMMANDS_REQUEST_BYTES,
  type GroupId,
  KEYS_REQUEST_BYTES,
  type RelaxedRead,
  RequestsWriter,
  SECTION_REQUEST_BYTES,
  encodeSection,
  limits,
} from '@quorate/protocol'
import type { Attempt } from '../calls/call.ts'
import type { Session } from '../calls/session-pool.ts'
import { FRAME_OVERHEAD_BYTES } from '../limits.ts'

/** What becomes one request: its attempts in the order of the answers it will get. */
export interface Batch {
  readonly group: GroupId
  readonly session: Session | null
  /** How its keys are read; null: linearizable. */
  readonly how: RelaxedRead | null
  readonly attempts: Attempt[]
  /** Of the drafts. */
  bytes: number
}

export interface FrameContext {
  readonly mapEpoch: number
  readonly notAfter: (attempt: Attempt) => number
  /** Tells which request a batch leaves in. */
  readonly requestIdOf: (batch: Batch) => number
}

/** A request is longer than its drafts by less. */
const REQUEST_BYTES = Math.max(COMMANDS_REQUEST_BYTES, KEYS_REQUEST_BYTES, SECTION_REQUEST_BYTES + 64)

/**
 * Each element becomes one frame. Commands of one session keep their order. Without `relaxedReads` every read is sent as a
 * linearizable one.
 */
export function packFrames(attempts: readonly Attempt[], relaxedReads: boolean): Batch[][] {
  const frames: Batch[][] = []
  let frame: Batch[] = []
  let frameBytes = FRAME_OVERHEAD_BYTES
  for (const batch of batchesOf(attempts, relaxedReads)) {
    const bytes = REQUEST_BYTES + batch.bytes
    if (frame.length > 0 && frameBytes + bytes > limits.frameBytes) {
      frames.push(frame)
      frame = []
      frameBytes = FRAME_OVERHEAD_BYTES
    }
    frame.push(batch)
    frameBytes += bytes
  }
  if (frame.length > 0) frames.push(frame)
  return frames
}

/** Commands by session and group, reads by group and how they are to be read; a batch holds 1,000 and 1 MiB, or a single one of any size. */
function batchesOf(attempts: readonly Attempt[], relaxedReads: boolean): Batch[] {
  const batches: Batch[] = []
  const writes = new Map<Session, Batch>()
  const reads = new Map<GroupId | string, Batch>()
  for (const attempt of attempts) {
    if (attempt.state !== 'queued') continue
    const { call, session, group } = attempt
    const isAlone = call.kind === 'open' || call.alone
    const how = relaxedReads ? call.how : null
    const together = how === null ? group : togetherAs(group, how)
    const known = session !== null ? writes.get(session) : isAlone ? undefined : reads.get(together)
    if (known !== undefined && hasRoom(known, attempt)) {
      known.attempts.push(attempt)
      known.bytes += call.length
      continue
    }
    const batch: Batch = { group, session, how, attempts: [attempt], bytes: call.length }
    batches.push(batch)
    if (session !== null) writes.set(session, batch)
    else if (!isAlone) reads.set(together, batch)
  }
  return batches
}

/** Equal for reads that can travel in one request. */
const togetherAs = (group: GroupId, how: RelaxedRead): string =>
  how.consistency === 'lease' ? `${group} lease` : `${group} stale ${String(how.maxAge)}`

function hasRoom(batch: Batch, { call, group }: Attempt): boolean {
  return (
    batch.group === group &&
    batch.attempts.length < limits.sectionCommands &&
    batch.bytes + call.length + REQUEST_BYTES <= limits.entryBytes
  )
}

export function frameOf(batches: readonly Batch[], context: FrameContext): Uint8Array {
  let bytes = 0
  for (const batch of batches) bytes += REQUEST_BYTES + batch.bytes
  const frame = new RequestsWriter(context.mapEpoch, batches.length, bytes)
  for (const batch of batches) writeBatch(frame, batch, context)
  return frame.finish()
}

function writeBatch(frame: RequestsWriter, batch: Batch, { notAfter, requestIdOf }: FrameContext): void {
  const requestId = requestIdOf(batch)
  const { group, session, how, attempts, bytes } = batch
  const [first] = attempts
  if (session !== null) {
    const { id, ackedUpTo } = session
    frame.commands({ requestId, group, session: id, ackedUpTo, draftBytes: bytes }, attempts, notAfter)
  } else if (first?.call.kind === 'open') {
    const section = encodeSection({ kind: 'openSession', group, notAfter: notAfter(first) })
    frame.section(requestId, group, section)
  } else {
    frame.keys(requestId, group, attempts, how)
  }
}
