import type { Network } from '../network.ts'
import type { Runtime } from '../runtime.ts'
import { createRealClock } from './clock.ts'
import { createRealDisk } from './disk.ts'
import { createRealRandom } from './random.ts'
import { createRealTimers } from './timers.ts'

export interface RealRuntimeOptions {
  /** This package knows no transport: the process that composes the parts brings one. */
  readonly network: Network
}

/** Everything real: this machine's clock, event loop, entropy and file system. */
export function createRealRuntime(options: RealRuntimeOptions): Runtime {
  return {
    clock: createRealClock(),
    timers: createRealTimers(),
    random: createRealRandom(),
    disk: createRealDisk(),
    network: options.network,
  }
}
