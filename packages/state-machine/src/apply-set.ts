/**
 * The common command, a `set` whose condition holds, from the payload into the overlay without an object on the way. It does
 * what `execute` and `putEntry` do for it; which of the two ways a command takes changes nothing that anybody can see.
 */
import { type CommandCursor, commandCondition } from '@quorate/protocol'
import type { ApplyContext } from './apply-context.ts'
import { assert } from './assert.ts'
import { ENTRY_OVERHEAD_BYTES } from './entry.ts'
import type { EntryTable } from './entry-table.ts'
import { deadlineAfter } from './execute.ts'
import { keyName } from './key-name.ts'

/** What was there before. Overwritten by every command. */
const before = { isThere: false, version: 0, deadline: 0, pinned: false, valueLength: 0, low: 0, high: 0 }

/**
 * False: the condition does not hold or is none, and nothing has been changed. Else the version is `context.lastVersion`.
 * `seen` is where the overlay's active table held the key when it was looked up, 0 = nowhere.
 */
export function applySet(
  cursor: CommandCursor,
  hash: number,
  seen: number,
  slot: number,
  context: ApplyContext,
): boolean {
  const { bytes, keyAt, keyLength, valueAt, valueLength, ttl, pins } = cursor
  const { clock, known } = context
  const { active } = known.overlay
  // An earlier command of the entry may have moved it.
  let own = active.isCurrent(seen, bytes, keyAt, keyLength) ? seen : 0
  if (own !== 0) noteRecord(active, own)
  else {
    const { table, ref } = known.locate(bytes, keyAt, keyLength, hash)
    if (ref === 0) noteFetched(cursor, slot, context)
    else noteRecord(table, ref)
    if (table === active) own = ref
  }
  if (!holds(cursor, clock)) return false
  const version = context.lastVersion + 1
  const deadline = ttl === 0 ? 0 : deadlineAfter(clock, ttl)
  const { isThere, low, high } = before
  const after = active.put(
    own,
    bytes,
    keyAt,
    keyLength,
    hash,
    cursor,
    valueAt,
    valueLength,
    version,
    deadline,
    pins,
  )
  if (isThere) active.records.setVisited(after, true)
  context.slots.replace(
    slot,
    isThere ? 0 : 1,
    isThere ? valueLength - before.valueLength : keyLength + valueLength + ENTRY_OVERHEAD_BYTES,
    (active.records.low(after) - low) | 0,
    (active.records.high(after) - high) | 0,
    (pins ? keyLength + valueLength + ENTRY_OVERHEAD_BYTES : 0) -
      (before.pinned ? keyLength + before.valueLength + ENTRY_OVERHEAD_BYTES : 0),
  )
  if (before.deadline !== deadline) {
    const name = keyName(bytes.subarray(keyAt, keyAt + keyLength))
    context.deadlines.replace(name, before.deadline, deadline)
  }
  context.lastVersion = version
  return true
}

function noteRecord({ records }: EntryTable, ref: number): void {
  before.isThere = !records.isAbsent(ref)
  before.version = records.version(ref)
  before.deadline = records.deadline(ref)
  before.pinned = records.isPinned(ref)
  before.valueLength = records.valueLength(ref)
  before.low = records.low(ref)
  before.high = records.high(ref)
}

function noteFetched(
  { bytes, keyAt, keyLength }: CommandCursor,
  slot: number,
  { fetched }: ApplyContext,
): void {
  const entry = fetched.get(keyName(bytes.subarray(keyAt, keyAt + keyLength)))
  assert(entry !== undefined, `a key of slot ${slot} was not fetched`)
  before.isThere = entry !== null
  before.version = entry?.version ?? 0
  before.deadline = entry?.deadline ?? 0
  before.pinned = entry?.pinned ?? false
  before.valueLength = entry?.value.length ?? 0
  before.low = (entry?.low ?? 0) | 0
  before.high = (entry?.high ?? 0) | 0
}

function holds({ condition, ifVersion }: CommandCursor, clock: number): boolean {
  if (condition === commandCondition.always) return true
  // An expired entry is absent for every command, and yet counted and indexed until it goes.
  const isSeen = before.isThere && (before.deadline === 0 || before.deadline > clock)
  if (condition === commandCondition.ifAbsent) return !isSeen
  if (condition === commandCondition.ifPresent) return isSeen
  return isSeen && ifVersion !== 0 && before.version === ifVersion
}
