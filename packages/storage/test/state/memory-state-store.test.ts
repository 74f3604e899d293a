// The memory twin against the conformance suite.
import { createMemoryStateWorld } from '../../src/index.ts'
import { stateStoreConformance } from '../../src/conformance.ts'
import { seededRandom, VirtualTimers } from './virtual-timers.ts'

for (const powerLoss of [false, true]) {
  stateStoreConformance(powerLoss ? 'memory twin, power loss' : 'memory twin, kill', async (seed) => {
    const world = createMemoryStateWorld({ timers: new VirtualTimers(), random: seededRandom(seed) })
    return {
      open: (dirId = 'directory') => world.open('node', dirId),
      crash: async () => world.crash({ powerLoss }),
      rows: async () => world.rows('node'),
      tamper: async (key, sealed) => world.tamper('node', key, sealed),
      dispose: async () => {},
    }
  })
}
