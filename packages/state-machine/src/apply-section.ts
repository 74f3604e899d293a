// Applies the sections of one entry, in order: sessions.md, "Apply, in this order".
import type { Answer, CommandCursor, Position, RefusalCode } from '@quorate/protocol'
import { limits, slotAt } from '@quorate/protocol'
import { type ApplyContext, knownEntry, putEntry } from './apply-context.ts'
import { applySet } from './apply-set.ts'
import { isExpired } from './entry.ts'
import { evict } from './evict.ts'
import { execute, isUnknownCommand } from './execute.ts'
import type { PreparedCommands, PreparedEntry, PreparedSection } from './prepared-entry.ts'
import type { Session } from './session.ts'
import type { Applied } from './stored-answer.ts'
import { sweep } from './sweep.ts'

/** A payload that cannot be decoded gets one verdict, the same on every replica. */
export function applySections(entry: PreparedEntry, context: ApplyContext): readonly (readonly Answer[])[] {
  const { sections } = entry
  if (sections === null) return [[refused(context, 'UNKNOWN_COMMAND', 0)]]
  return sections.map((section) => applySection(section, entry, context))
}

function applySection(
  section: PreparedSection,
  entry: PreparedEntry,
  context: ApplyContext,
): readonly Answer[] {
  if (section.kind === 'commands') return applyCommands(section, entry, context)
  if (section.group !== context.group) return [refused(context, 'MOVED', 0)]
  switch (section.kind) {
    case 'openSession':
      return [openSession(section.notAfter, context)]
    case 'closeSession':
      if (!context.sessions.close(section.session)) return [refused(context, 'SESSION_EXPIRED', 0)]
      return [done(context)]
    case 'found':
      context.slots.found(section.slots, section.epoch)
      return [done(context)]
    case 'tick':
      return [done(context)]
    case 'sweep':
      sweep(section.limit, context)
      return [done(context)]
    case 'evict':
      evict(section.victims, context)
      return [done(context)]
    default:
      return [refused(context, 'UNKNOWN_COMMAND', 0)]
  }
}

function applyCommands(
  { group, at, firstKey }: PreparedCommands,
  { cursor, keys }: PreparedEntry,
  context: ApplyContext,
): readonly Answer[] {
  cursor.begin(at)
  if (group !== context.group) return refuseAll(cursor.count, context, 'MOVED')
  const session = context.sessions.use(cursor.session, cursor.ackedUpTo, context.clock)
  if (session === undefined) return refuseAll(cursor.count, context, 'SESSION_EXPIRED')
  const answers: Answer[] = []
  const { active } = context.known.overlay
  for (let place = firstKey; cursor.next(); place++)
    answers.push(applyCommand(cursor, keys.hash(place), keys.ref(place, active), session, context))
  return answers
}

function applyCommand(
  cursor: CommandCursor,
  hash: number,
  ref: number,
  session: Session,
  context: ApplyContext,
): Answer {
  const { sequence } = cursor
  const slot = slotAt(cursor.bytes, cursor.keyAt, cursor.keyLength)
  const epoch = context.slots.epoch(slot)
  if (sequence <= session.ackedUpTo) return refused(context, 'STALE', epoch)
  const stored = session.answers.get(sequence)
  if (stored !== undefined) return stored
  if (!context.slots.isServed(slot)) return refused(context, 'MOVED', epoch)
  if (context.stamp > cursor.notAfter) return refused(context, 'LATE', epoch)
  if (sequence > session.ackedUpTo + limits.sessionWindow) return refused(context, 'SESSION_WINDOW', epoch)
  if (cursor.isSet && applySet(cursor, hash, ref, slot, context)) {
    const version = context.lastVersion
    context.sessions.storeWritten(session, sequence, epoch, version, context.clock)
    return {
      type: 'applied',
      position: { epoch, version, t: context.clock },
      result: { type: 'written', version },
    }
  }
  return applyRare(cursor, hash, slot, session, context)
}

/** Whatever `applySet` leaves: with the whole command, and entries that are objects. */
function applyRare(
  cursor: CommandCursor,
  hash: number,
  slot: number,
  session: Session,
  context: ApplyContext,
): Answer {
  const command = cursor.command()
  const epoch = context.slots.epoch(slot)
  if (isUnknownCommand(command)) return refused(context, 'UNKNOWN_COMMAND', epoch)
  const place = { key: command.key, hash, slot }
  const before = knownEntry(place, context)
  const { clock } = context
  // An expired entry is absent for every command, and yet counted and indexed until it goes.
  const seen = before !== null && isExpired(before, clock) ? null : before
  const execution = execute(command, seen, { version: context.lastVersion + 1, clock })
  if (execution.changed) {
    context.lastVersion += 1
    putEntry(place, before, execution.entry, context)
  }
  const answer: Applied = { type: 'applied', position: positionOf(context, epoch), result: execution.result }
  context.sessions.store(session, command.sequence, answer)
  return answer
}

function openSession(notAfter: number, context: ApplyContext): Answer {
  if (context.stamp > notAfter) return refused(context, 'LATE', 0)
  if (context.sessions.full) return refused(context, 'SESSIONS_FULL', 0)
  context.lastVersion += 1
  const session = { group: context.group, version: context.lastVersion }
  context.sessions.open(session, context.clock)
  return { type: 'applied', position: positionOf(context, 0), result: { type: 'sessionOpened', session } }
}

function done(context: ApplyContext): Answer {
  return { type: 'applied', position: positionOf(context, 0), result: { type: 'done' } }
}

function refuseAll(count: number, context: ApplyContext, code: RefusalCode): readonly Answer[] {
  return Array.from({ length: count }, () => refused(context, code, 0))
}

/** Changes nothing and is not stored: the same operation may be tried again. */
function refused(context: ApplyContext, code: RefusalCode, epoch: number): Answer {
  return { type: 'refused', code, position: positionOf(context, epoch) }
}

/** After a change its own version, otherwise that of a read. */
function positionOf(context: ApplyContext, epoch: number): Position {
  return { epoch, version: context.lastVersion, t: context.clock }
}
