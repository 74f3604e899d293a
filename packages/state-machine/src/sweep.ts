// Removes expired entries (time.md): the first ones in (deadline, key) order, each as a change of its own.
import { slotOf } from '@quorate/protocol'
import { type ApplyContext, knownEntry, putEntry } from './apply-context.ts'
import { assert } from './assert.ts'
import { isExpired } from './entry.ts'
import { nameKey } from './key-name.ts'

export function sweep(limit: number, context: ApplyContext): void {
  const { clock, deadlines } = context
  const found = deadlines.expired(clock, limit)
  assert(found !== null, `group ${context.group}: a sweep of ${limit} entries beyond what was looked up`)
  for (const { name, deadline } of found) {
    const key = nameKey(name)
    const place = { key, hash: context.known.hash(key), slot: slotOf(key) }
    const before = knownEntry(place, context)
    assert(
      before !== null && isExpired(before, clock),
      `group ${context.group}: a deadline at ${deadline} without its entry`,
    )
    context.lastVersion += 1
    context.removals.push({
      cause: 'expired',
      slotEpoch: context.slots.epoch(place.slot),
      version: context.lastVersion,
      removedVersion: before.version,
      deadline,
      key,
    })
    putEntry(place, before, null, context)
  }
}
