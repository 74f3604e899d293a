// The policy of this package as a host drives it: a shard with a limit, reads that mark, writes, evictions, checkpoints.
import type { Section } from '@quorate/protocol'
import { ENTRY_OVERHEAD_BYTES } from '../../src/index.ts'
import type { Policy } from './policies.ts'
import { commandsEntry, foundAll, GROUP, Replica } from './replica.ts'

const KEY_BYTES = 8
const VALUE_BYTES = 9
/** Writes between two checkpoints. */
const CHECKPOINT_WRITES = 2_000
/** As the node does: evictions begin at the limit and end a thirty-second below it. */
const SLACK = 1 / 32
const never = Number.MAX_SAFE_INTEGER

export function createQuoratePolicy(capacity: number): Policy {
  const bytesMax = capacity * (KEY_BYTES + VALUE_BYTES + ENTRY_OVERHEAD_BYTES)
  const replica = new Replica(67_108_864)
  const run = (section: Section): void => {
    const { appliedIndex } = replica.state
    replica.apply({ ...commandsEntry(1, section), index: appliedIndex + 1, term: 1 })
  }
  run({ kind: 'openSession', group: GROUP, notAfter: never })
  run(foundAll(4))
  let sequence = 0
  return {
    access: (number) => {
      const key = keyOf(number)
      const [answer] = replica.read([key], 1)
      if (answer?.type === 'applied' && answer.result.type === 'entry') return true
      sequence += 1
      run(setOf(key, sequence))
      if (sequence % CHECKPOINT_WRITES === 0) replica.checkpoint()
      const { bytes } = replica.state.stats
      if (bytes <= bytesMax) return false
      const victims = replica.state.chooseVictims(bytes - bytesMax * (1 - SLACK), 256)
      if (victims.length > 0) run({ kind: 'evict', group: GROUP, victims })
      return false
    },
  }
}

function setOf(key: Uint8Array, sequence: number): Section {
  const value = { type: 'integer', integer: sequence } as const
  const condition = { type: 'always' } as const
  const command = { op: 'set', sequence, notAfter: never, key, value, condition, ttl: 0 } as const
  const session = { group: GROUP, version: 1 }
  return { kind: 'commands', group: GROUP, session, ackedUpTo: sequence - 1, commands: [command] }
}

function keyOf(number: number): Uint8Array {
  return new TextEncoder().encode(number.toString(36).padStart(KEY_BYTES, '0'))
}
