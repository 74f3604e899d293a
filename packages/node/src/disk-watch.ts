// What a node does about a write or sync that does not end (time.md, stalls; etcd#13527).
import { fixed } from './settings.ts'

/**
 * `well`: nothing is in flight for long. `handOver`: leaders ask healthy peers to take over. `stepDown`: nothing is led
 * here any more. As long as it is not well nobody here campaigns; heartbeats and acknowledgements go on.
 */
export type DiskVerdict = 'well' | 'handOver' | 'stepDown'

/** `busyMs`: for how long the write or sync in flight has been under way; 0 when idle. */
export function judgeDisk(busyMs: number): DiskVerdict {
  if (busyMs >= fixed.diskStepDownMs) return 'stepDown'
  return busyMs >= fixed.diskHandOverMs ? 'handOver' : 'well'
}
