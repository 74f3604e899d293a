// Removes entries that the leader chose (time.md, eviction): each only as it was when it was chosen, so that a newer write survives.
import { slotOf, type Victim } from '@quorate/protocol'
import { type ApplyContext, knownEntry, putEntry } from './apply-context.ts'

export function evict(victims: readonly Victim[], context: ApplyContext): void {
  for (const { key, version } of victims) {
    const place = { key, hash: context.known.hash(key), slot: slotOf(key) }
    // What has gone elsewhere, or is on its way here, is not this shard's to remove.
    if (!context.slots.isServed(place.slot)) continue
    const before = knownEntry(place, context)
    if (before === null || before.version !== version || before.pinned) continue
    context.lastVersion += 1
    context.removals.push({
      cause: 'evicted',
      slotEpoch: context.slots.epoch(place.slot),
      version: context.lastVersion,
      removedVersion: version,
      deadline: before.deadline,
      // The payload goes back to its frame.
      key: key.slice(),
    })
    putEntry(place, before, null, context)
  }
}
