// Applies the sections of one entry, in order: sessions.md, "Apply, in this order".
import type { Answer, Position, RefusalCode, Section } from '@quorate/protocol'
import { limits } from '@quorate/protocol'
import { type ApplyContext, putEntry } from './apply-context.ts'
import { execute, isUnknownCommand } from './execute.ts'
import { assert } from './assert.ts'
import { isExpired } from './entry.ts'
import type { PreparedCommand, PreparedSection } from './prepared-entry.ts'
import type { Session } from './session.ts'
import type { Applied } from './stored-answer.ts'
import { sweep } from './sweep.ts'

export interface AppliedSections {
  readonly answers: readonly (readonly Answer[])[]
  readonly lastVersion: number
}

/** `sections` null: a payload that cannot be decoded gets one verdict, the same on every replica. */
export function applySections(
  sections: readonly PreparedSection[] | null,
  context: ApplyContext,
): AppliedSections {
  const answers =
    sections === null
      ? [[refused(context, 'UNKNOWN_COMMAND', 0)]]
      : sections.map((prepared) => applySection(prepared, context))
  return { answers, lastVersion: context.lastVersion }
}

function applySection(
  { section, commands, places }: PreparedSection,
  context: ApplyContext,
): readonly Answer[] {
  if (section.group !== context.group) return refuseAll(section, context, 'MOVED')
  switch (section.kind) {
    case 'commands':
      return applyCommands(section, commands ?? [], context)
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
      sweep(section.limit, places, context)
      return [done(context)]
    default:
      return [refused(context, 'UNKNOWN_COMMAND', 0)]
  }
}

function applyCommands(
  section: Extract<Section, { kind: 'commands' }>,
  commands: readonly PreparedCommand[],
  context: ApplyContext,
): readonly Answer[] {
  const session = context.sessions.use(section.session, section.ackedUpTo, context.clock)
  if (session === undefined) return refuseAll(section, context, 'SESSION_EXPIRED')
  return commands.map((prepared) => applyCommand(prepared, session, context))
}

function applyCommand(prepared: PreparedCommand, session: Session, context: ApplyContext): Answer {
  const { command, place } = prepared
  const { sequence } = command
  const epoch = context.slots.epoch(place.slot)
  if (sequence <= session.ackedUpTo) return refused(context, 'STALE', epoch)
  const stored = session.answers.get(sequence)
  if (stored !== undefined) return stored.answer
  if (!context.slots.isServed(place.slot)) return refused(context, 'MOVED', epoch)
  if (context.stamp > command.notAfter) return refused(context, 'LATE', epoch)
  if (sequence > session.ackedUpTo + limits.sessionWindow) return refused(context, 'SESSION_WINDOW', epoch)
  if (isUnknownCommand(command)) return refused(context, 'UNKNOWN_COMMAND', epoch)
  const answer = executeCommand(prepared, epoch, context)
  context.sessions.store(session, sequence, answer)
  return answer
}

function executeCommand({ command, place }: PreparedCommand, epoch: number, context: ApplyContext): Applied {
  const before = place.known
  assert(before !== undefined, `a key of slot ${place.slot} was not fetched`)
  const { clock } = context
  // An expired entry is absent for every command, and yet counted and indexed until it goes.
  const seen = before !== null && isExpired(before, clock) ? null : before
  const execution = execute(command, seen, { version: context.lastVersion + 1, clock })
  if (execution.changed) {
    context.lastVersion += 1
    putEntry(place, before, execution.entry, context)
  }
  return { type: 'applied', position: positionOf(context, epoch), result: execution.result }
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

function refuseAll(section: Section, context: ApplyContext, code: RefusalCode): readonly Answer[] {
  const count = section.kind === 'commands' ? section.commands.length : 1
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
