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
}

function fake(): Fake {
  const time = new VirtualTime()
  const { timers, clock } = new VirtualProcess(time)
  const written: number[][] = []
  const replica = { durableIndex: 5, appliedIndex: 5 }
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
    log: { stats: { bytesWritten: 0 }, syncedPosition: 0, compactionWanted: () => [] },
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
        appliedConfiguration: configuration,
        appliedConfigurationIndex: 0,
      },
    ],
    append: () => 1,
    holdsLog: () => false,
    halt: (error: Error) => {
      throw error
    },
  }
  return { time, checkpointer: new Checkpointer(parts as CheckpointerParts), written, replica }
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
