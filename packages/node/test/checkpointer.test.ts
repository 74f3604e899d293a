// The checkpointer alone: what it leaves out, and whom it lets wait.
import { describe, expect, it } from 'vitest'
import { Checkpointer, type CheckpointerParts } from '../src/checkpointer.ts'
import { SyncWaits } from '../src/sync-waits.ts'
import { VirtualProcess, VirtualTime } from './fixture/virtual-time.ts'

const configuration = { voters: [1], outgoing: [], learners: [], learnersNext: [] }

interface Fake {
  readonly time: VirtualTime
  readonly checkpointer: Checkpointer
  readonly written: number[][]
  readonly replica: { durableIndex: number; appliedIndex: number }
  /** What the log asks for, and what it is told. */
  readonly wanted: { group: number; index: number }[]
  readonly compacted: unknown[]
  /** Up to where nobody needs the log. */
  readonly needed: { upTo: number }
}

function fake(): Fake {
  const time = new VirtualTime()
  const { timers, clock } = new VirtualProcess(time)
  const written: number[][] = []
  const replica = {
    durableIndex: 5,
    appliedIndex: 5,
    firstIndex: 1,
    termAt: (index: number) => (index < 4 ? 1 : 2),
    configurationAt: (index: number) => ({ index: index < 3 ? 0 : 3, configuration }),
  }
  const wanted: Fake['wanted'] = []
  const compacted: unknown[] = []
  const needed = { upTo: Infinity }
  const state = {
    get appliedIndex() {
      return replica.appliedIndex
    },
    freeze: () => ({
      appliedIndex: replica.appliedIndex,
      appliedTerm: 1,
      machine: new Uint8Array(0),
      changes: [],
      changeCount: 0,
    }),
  }
  const store = {
    checkpointNumber: 0,
    checkpoint: async (replicas: readonly { head: { appliedIndex: number } }[]) => {
      written.push(replicas.map((one) => one.head.appliedIndex))
      store.checkpointNumber += 1
      return store.checkpointNumber
    },
  }
  const parts: unknown = {
    store,
    log: { stats: { bytesWritten: 0 }, syncedPosition: 0, compactionWanted: () => wanted },
    timers,
    settings: { checkpointMsMin: 100, checkpointMsMax: 10_000, checkpointLogBytes: 1_000 },
    now: () => clock.monotonicMs(),
    replicas: () => [
      {
        group: 1,
        incarnation: 1,
        condition: 'live',
        installing: false,
        generation: 1,
        state,
        released: () => {},
        raft: replica,
        get firstIndex() {
          return replica.firstIndex
        },
        step: (input: { readonly index: number }) => {
          compacted.push(input)
          replica.firstIndex = input.index + 1
        },
        appliedConfiguration: configuration,
        appliedConfigurationIndex: 0,
      },
    ],
    append: (record: unknown) => compacted.push(record),
    logMayGoUpTo: () => needed.upTo,
    halt: (error: Error) => {
      throw error
    },
  }
  return {
    time,
    checkpointer: new Checkpointer(parts as CheckpointerParts),
    written,
    replica,
    wanted,
    compacted,
    needed,
  }
}

describe('a checkpoint that somebody waits for', () => {
  it('never runs ahead of the own log (rule 13), and waits without stopping the event loop', async () => {
    const { time, checkpointer, written, replica } = fake()
    replica.appliedIndex = 9
    let done = false
    void checkpointer.now(1).then(() => {
      done = true
    })
    await time.run(50)
    expect([done, written]).toEqual([false, []])
    replica.durableIndex = 9
    expect(await time.run(50, () => done)).toBe(true)
    expect(written).toEqual([[9]])
  })

  it('is tried again soon for apply that waits for memory, also where the last one freed none', async () => {
    const { time, checkpointer, replica } = fake()
    let asked = 0
    const again = (): void => {
      asked += 1
      replica.appliedIndex += 1
      replica.durableIndex += 1
      if (asked < 3) checkpointer.onRelease(again)
    }
    checkpointer.onRelease(again)
    expect(await time.run(100, () => asked === 3)).toBe(true)
  })

  it('is refused once the node ends', async () => {
    const { checkpointer } = fake()
    await checkpointer.stop()
    await expect(checkpointer.now(1)).rejects.toThrow('the node stops')
  })
})

describe('the log', () => {
  it('is let go behind a durable checkpoint as far as it asks, and no further: followers may still need the rest', async () => {
    const { time, checkpointer, replica, wanted, compacted, needed } = fake()
    wanted.push({ group: 1, index: 4 })
    checkpointer.compact()
    expect(compacted).toEqual([])
    replica.appliedIndex = 9
    replica.durableIndex = 9
    let done = false
    void checkpointer.now(1).then(() => {
      done = true
    })
    expect(await time.run(50, () => done && compacted.length > 0)).toBe(true)
    expect(compacted).toMatchObject([
      { type: 'compacted', index: 4 },
      { kind: 'compacted', index: 4, term: 2, checkpoint: 1, configurationIndex: 3 },
    ])
    // Not beyond the checkpoint, nor beyond what somebody needs.
    wanted.splice(0, 1, { group: 1, index: 10 })
    checkpointer.compact()
    expect(compacted).toHaveLength(2)
    needed.upTo = 6
    wanted.splice(0, 1, { group: 1, index: 8 })
    checkpointer.compact()
    checkpointer.compact()
    expect(compacted.slice(2)).toMatchObject([{ index: 6 }, { index: 6, term: 2 }])
  })
})

describe('who waits for a sync', () => {
  it('hears of it, or of the end of the node', async () => {
    const waits = new SyncWaits()
    const first = waits.wait(1)
    const second = waits.wait(2)
    waits.synced(1)
    await first
    waits.end(new Error('halted'))
    await expect(second).rejects.toThrow('halted')
    await expect(waits.wait(3)).rejects.toThrow('halted')
    await waits.wait(1)
  })
})
