// Removes expired entries (time.md): the first ones in (deadline, key) order, each as a change of its own.
import { type ApplyContext, putEntry } from './apply-context.ts'
import { assert } from './assert.ts'
import { isExpired } from './entry.ts'
import { nameKey } from './key-name.ts'
import type { KeyPlace } from './prepared-entry.ts'

export function sweep(limit: number, places: ReadonlyMap<string, KeyPlace>, context: ApplyContext): void {
  const { clock, deadlines } = context
  const found = deadlines.expired(clock, limit)
  assert(found !== null, `group ${context.group}: a sweep of ${limit} entries beyond what was looked up`)
  for (const { name, deadline } of found) {
    const place = places.get(name)
    const before = place?.known
    assert(
      place !== undefined && before !== undefined && before !== null && isExpired(before, clock),
      `group ${context.group}: a deadline at ${deadline} without its entry`,
    )
    context.lastVersion += 1
    context.removals.push({
      cause: 'expired',
      slotEpoch: context.slots.epoch(place.slot),
      version: context.lastVersion,
      removedVersion: before.version,
      deadline,
      // Not that of the place, which may be part of the payload.
      key: nameKey(name),
    })
    putEntry(place, before, null, context)
  }
}
