// Says in a few lines what a step was and what came of it: the text of the transcripts.
import type { Configuration, Effects, EntryMeta, Envelope, Message } from '../../src/index.ts'
import type { Host, InputBody } from './host.ts'
import type { Packet } from './world.ts'

export function narrateStep(host: Host, input: InputBody, effects: Effects): string[] {
  const lines = consequences(effects)
  // A tick or an application without consequences is not worth a line.
  if (lines.length === 0 && (input.type === 'tick' || input.type === 'applied')) return []
  return [`${host.id} ${describeInput(input)}`, ...lines.map((line) => `  ${line}`)]
}

function consequences(effects: Effects): string[] {
  const lines: string[] = []
  const { status, persist, dropped, commitIndex } = effects
  if (status !== null)
    lines.push(`is ${status.role} in term ${status.currentTerm}, leader ${status.leader ?? 'unknown'}`)
  for (const envelope of effects.send) lines.push(`sends ${describeEnvelope(envelope)}`)
  if (persist !== null) {
    const { hardState } = persist
    const vote =
      hardState === null ? '' : ` term ${hardState.currentTerm} vote ${hardState.votedFor ?? 'none'}`
    lines.push(`persists #${persist.number}${vote}${describeEntries(persist.entries)}`)
  }
  for (const envelope of effects.sendAfterPersist) lines.push(`then sends ${describeEnvelope(envelope)}`)
  if (dropped !== null) lines.push(`drops the proposal: ${dropped}`)
  if (commitIndex !== null) lines.push(`commits ${commitIndex}`)
  for (const { tag, index } of effects.reads) lines.push(`read ${tag} is good at ${index}`)
  for (const tag of effects.readsDropped) lines.push(`read ${tag} is dropped`)
  for (const peer of effects.snapshotWanted) lines.push(`wants a snapshot for ${peer}`)
  return lines
}

export function describePacket({ from, to, parcel }: Packet): string {
  const what = parcel.kind === 'message' ? describeMessage(parcel.message) : parcel.kind
  return `${from} -> ${to} ${what}`
}

export function describeConfiguration({ voters, outgoing, learners, learnersNext }: Configuration): string {
  const parts = [`voters ${voters.join(' ')}`]
  if (outgoing.length > 0) parts.push(`outgoing ${outgoing.join(' ')}`)
  if (learners.length > 0) parts.push(`learners ${learners.join(' ')}`)
  if (learnersNext.length > 0) parts.push(`learners next ${learnersNext.join(' ')}`)
  return `(${parts.join('; ')})`
}

function describeEnvelope({ to, message }: Envelope): string {
  return `${to} ${describeMessage(message)}`
}

function describeInput(input: InputBody): string {
  if (input.type === 'message') return `hears ${input.from} ${describeMessage(input.message)}`
  if (input.type === 'heartbeat') {
    return `hears ${input.from} heartbeat term ${input.term} commit ${input.commitIndex}`
  }
  if (input.type === 'confirmed')
    return `hears ${input.from} confirmed term ${input.term} round ${input.round}`
  if (input.type === 'snapshotInstalled') {
    return `installs a snapshot at ${input.index}/${input.term} ${describeConfiguration(input.configuration)}`
  }
  if (input.type === 'proposeConfiguration') {
    return `is asked for ${describeConfiguration({ ...input, outgoing: [], learnersNext: [] })}`
  }
  return Object.values(input).join(' ')
}

function describeMessage(message: Message): string {
  const { type, term } = message
  switch (message.type) {
    case 'voteRequest': {
      const kind = message.preVote ? ' pre-vote' : message.transfer ? ' transfer' : ''
      return `${type}${kind} term ${term} log ${message.lastIndex}/${message.lastTerm}`
    }
    case 'voteReply':
      return `${type}${message.preVote ? ' pre-vote' : ''} term ${term} ${message.granted ? 'granted' : 'refused'}`
    case 'appendRequest':
      return `${type} term ${term} after ${message.previousIndex}/${message.previousTerm}${describeEntries(message.entries)} commit ${message.commitIndex}`
    case 'appendAccepted':
      return `${type} term ${term} match ${message.matchIndex}`
    case 'appendRejected':
      return `${type} term ${term} rejected ${message.rejectedIndex} hint ${message.hintIndex}/${message.hintTerm}`
    case 'timeoutNow':
    case 'termNotice':
      return `${type} term ${term}`
  }
}

function describeEntries(entries: readonly EntryMeta[]): string {
  if (entries.length === 0) return ''
  const each = entries.map(
    ({ index, term, configuration }) =>
      `${index}/${term}${configuration === undefined ? '' : describeConfiguration(configuration)}`,
  )
  return ` [${each.join(' ')}]`
}
