// Every kind of fault that a simulated cluster can be hurt with: drawn for a moment of a run, or injected as a schedule says.
import type { FaultArguments } from '../schedule/fault-shapes.ts'
import type { ScheduledFault } from '../schedule/schedule.ts'
import { crash, crashAtBoundary, crashThenPowerLoss, pickAll, pickOne } from './crash-faults.ts'
import { restoreOldCopy, wipe } from './directory-faults.ts'
import { failDisk, fillDisk, rotBits, slowDisk } from './disk-faults.ts'
import type { DrawContext, Fault, FaultContext, FaultEffect } from './fault.ts'
import { blackHole, swizzle } from './link-faults.ts'
import { changeMembers } from './membership-faults.ts'
import {
  cut,
  partitionBridge,
  partitionHalves,
  partitionOne,
  partitionOneWay,
  slowLink,
  storm,
} from './partition-faults.ts'
import { crashClient, pause, skewClock, skewLeader, transferLeadership } from './process-faults.ts'
import type { FaultKind } from './swarm.ts'

/** Null where the fault has nobody to hit at this moment. */
export function drawFault<Kind extends FaultKind>(
  kind: Kind,
  atMs: number,
  context: DrawContext,
): ScheduledFault<Kind> | null {
  const drawn = faults[kind].draw(context)
  return drawn === null ? null : { atMs, kind, arguments: drawn }
}

/** Null where those whom it should hit are not there, or not as it needs them. */
export function injectFault<Kind extends FaultKind>(
  { kind, arguments: given }: ScheduledFault<Kind>,
  context: FaultContext,
): FaultEffect | null {
  return faults[kind].inject(context, given)
}

const faults: { readonly [Kind in FaultKind]: Fault<FaultArguments[Kind]> } = {
  crash: crash(pickOne, { powerLoss: false }),
  'crash-all': crash(pickAll, { powerLoss: false }),
  'power-loss': crash(pickOne, { powerLoss: true }),
  'power-loss-all': crash(pickAll, { powerLoss: true }),
  'crash-at-boundary': crashAtBoundary,
  'crash-then-power-loss': crashThenPowerLoss,
  pause,
  'partition-one': partitionOne,
  'partition-halves': partitionHalves,
  'partition-bridge': partitionBridge,
  'partition-one-way': partitionOneWay,
  cut,
  'slow-link': slowLink,
  'black-hole': blackHole,
  swizzle,
  clock: skewClock,
  'leader-clock': skewLeader,
  transfer: transferLeadership,
  members: changeMembers,
  'client-crash': crashClient,
  'disk-slow': slowDisk,
  'disk-error': failDisk,
  'disk-full': fillDisk,
  'bit-rot': rotBits,
  wipe,
  'old-copy': restoreOldCopy,
  storm,
}
