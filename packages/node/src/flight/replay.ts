// Runs a recording offline and compares what comes out with what came out then.
import { type RaftImage, raftFromImage } from '@quorate/raft'
import { isDeepStrictEqual } from 'node:util'
import type { CoreRecording, MachineEnd, Recording } from './recording.ts'
import { replayedStore, runMachine } from './run-machine.ts'

export interface Replay {
  readonly core: {
    readonly inputs: number
    /** State behind the last input, or what that input broke. */
    readonly end: RaftImage | null
    readonly broken: string | null
    readonly same: boolean
  }
  readonly machine:
    | (MachineEnd & {
        readonly entries: number
        readonly same: boolean
        /** The machine that was serving had this hash too: what was wrong came from disk or log, not from its memory. */
        readonly asLive: boolean
      })
    | null
  /** Everything that was recorded came out again. */
  readonly same: boolean
}

/** Rejects with `BadRecordingError` where the recording does not hold together. */
export async function replayRecording(recording: Recording): Promise<Replay> {
  const core = replayCore(recording.core)
  const { machine: recorded, group } = recording
  if (recorded === null) return { core, machine: null, same: core.same }
  const end = await runMachine(group, recorded, replayedStore(recorded.reads), async () => {})
  const machine = {
    ...end,
    entries: recorded.entries.length,
    same: isDeepStrictEqual(end, recorded.end),
    asLive: recorded.live === end.stateHash,
  }
  return { core, machine, same: core.same && machine.same }
}

function replayCore({ image, inputs, end, broken }: CoreRecording): Replay['core'] {
  const raft = raftFromImage(image)
  const count = inputs.length
  for (const input of inputs) {
    try {
      raft.step(input)
    } catch (error) {
      const message = String(error)
      return { inputs: count, end: null, broken: message, same: message === broken }
    }
  }
  const reached = raft.image()
  return { inputs: count, end: reached, broken: null, same: isDeepStrictEqual(reached, end) }
}
