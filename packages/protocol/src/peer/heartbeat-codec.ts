// The pair heartbeat and its answer: one of each for every pair of nodes and tick, whatever the number of groups.
import { ByteReader } from '../bytes/byte-reader.ts'
import { ByteWriter } from '../bytes/byte-writer.ts'
import { peerFrameTypes } from '../frame-types.ts'
import type { LedGroup, PairAnswer, PairHeartbeat } from '../peer-frame.ts'

/** `type u8`, seven f64, `hasLedSet u8`, two counts u32. */
const HEARTBEAT_BYTES = 66
/** `group u32 | term f64 | leader f64 | receiver f64`. */
const LED_GROUP_BYTES = 28
/** `group u32 | commitIndex f64 | capped u8`. */
const COMMIT_BYTES = 13
/** `type u8`, four f64, `count u32`. */
const ANSWER_BYTES = 38

export function encodeHeartbeat(frame: PairHeartbeat): Uint8Array {
  const { ledSet, commits } = frame
  const writer = new ByteWriter(
    HEARTBEAT_BYTES + (ledSet?.length ?? 0) * LED_GROUP_BYTES + commits.length * COMMIT_BYTES,
  )
  writer.u8(peerFrameTypes.heartbeat, 'frame type')
  writer.natural(frame.setNumber, 'setNumber')
  writer.natural(frame.sequence, 'sequence')
  writer.natural(frame.answers, 'answers')
  writer.natural(frame.answersBoot, 'answersBoot')
  writer.natural(frame.syncedLog, 'syncedLog')
  writer.milliseconds(frame.confirmedAge, 'confirmedAge')
  writer.milliseconds(frame.wallMs, 'wallMs')
  writer.flag(ledSet !== null)
  if (ledSet !== null) writeLedSet(writer, ledSet)
  writer.u32(commits.length, 'commits')
  for (const { group, commitIndex, capped } of commits) {
    writer.u32(group, 'group')
    writer.natural(commitIndex, 'commitIndex')
    writer.flag(capped)
  }
  return writer.finish()
}

export function decodeHeartbeat(bytes: Uint8Array): PairHeartbeat {
  const reader = new ByteReader(bytes, 1)
  const setNumber = reader.natural()
  const sequence = reader.natural()
  const answers = reader.natural()
  const answersBoot = reader.natural()
  const syncedLog = reader.natural()
  const confirmedAge = reader.milliseconds()
  const wallMs = reader.milliseconds()
  const ledSet = reader.flag() ? readLedSet(reader) : null
  const commits = readCommits(reader)
  reader.end()
  return {
    type: 'heartbeat',
    setNumber,
    sequence,
    answers,
    answersBoot,
    syncedLog,
    confirmedAge,
    wallMs,
    ledSet,
    commits,
  }
}

export function encodeHeartbeatAnswer(frame: PairAnswer): Uint8Array {
  const writer = new ByteWriter(ANSWER_BYTES + frame.exceptions.length * 4)
  writer.u8(peerFrameTypes.heartbeatAnswer, 'frame type')
  writer.natural(frame.boot, 'boot')
  writer.natural(frame.setNumber, 'setNumber')
  writer.natural(frame.sequence, 'sequence')
  writer.milliseconds(frame.wallMs, 'wallMs')
  writer.flag(frame.lowOnSpace)
  writer.u32(frame.exceptions.length, 'exceptions')
  for (const group of frame.exceptions) writer.u32(group, 'group')
  return writer.finish()
}

export function decodeHeartbeatAnswer(bytes: Uint8Array): PairAnswer {
  const reader = new ByteReader(bytes, 1)
  const boot = reader.natural()
  const setNumber = reader.natural()
  const sequence = reader.natural()
  const wallMs = reader.milliseconds()
  const lowOnSpace = reader.flag()
  const exceptions: number[] = []
  for (let left = reader.u32(); left > 0; left -= 1) exceptions.push(reader.u32())
  reader.end()
  return { type: 'heartbeatAnswer', boot, setNumber, sequence, wallMs, lowOnSpace, exceptions }
}

function writeLedSet(writer: ByteWriter, ledSet: readonly LedGroup[]): void {
  writer.u32(ledSet.length, 'led set')
  for (const { group, term, leader, receiver } of ledSet) {
    writer.u32(group, 'group')
    writer.natural(term, 'term')
    writer.positive(leader, 'leader')
    writer.positive(receiver, 'receiver')
  }
}

function readLedSet(reader: ByteReader): LedGroup[] {
  const ledSet: LedGroup[] = []
  for (let left = reader.u32(); left > 0; left -= 1) {
    const group = reader.u32()
    const term = reader.natural()
    const leader = reader.positive()
    ledSet.push({ group, term, leader, receiver: reader.positive() })
  }
  return ledSet
}

function readCommits(reader: ByteReader): PairHeartbeat['commits'] {
  const commits: PairHeartbeat['commits'][number][] = []
  for (let left = reader.u32(); left > 0; left -= 1) {
    const group = reader.u32()
    const commitIndex = reader.natural()
    commits.push({ group, commitIndex, capped: reader.flag() })
  }
  return commits
}
