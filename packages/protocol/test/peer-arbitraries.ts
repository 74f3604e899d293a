// Every frame between nodes, at random.
import type { Message } from '@quorate/raft'
import fc from 'fast-check'
import { channels, encodeConfiguration, type GroupMessage, limits, type PeerFrame } from '../src/index.ts'
import {
  bytes,
  configuration,
  group,
  identity,
  message,
  name,
  natural,
  positive,
  protocolRange,
  features,
  shardMap,
  U32_MAX,
} from './arbitraries.ts'

const milliseconds = fc.oneof(natural, fc.double({ min: 0, max: 2 ** 50, noNaN: true }).map(Math.abs))
const term = natural
const voteRequest = fc.record({
  type: fc.constant('voteRequest' as const),
  term,
  preVote: fc.boolean(),
  lastIndex: natural,
  lastTerm: natural,
  transfer: fc.boolean(),
})
const plainMessage: fc.Arbitrary<Message> = fc.oneof(
  voteRequest,
  fc.record({ type: fc.constant('voteReply' as const), term, preVote: fc.boolean(), granted: fc.boolean() }),
  fc.record({ type: fc.constant('appendAccepted' as const), term, matchIndex: natural }),
  fc.record({
    type: fc.constant('appendRejected' as const),
    term,
    rejectedIndex: natural,
    hintIndex: natural,
    hintTerm: natural,
  }),
  fc.record({ type: fc.constantFrom('timeoutNow' as const, 'termNotice' as const), term }),
)

const entry = fc.oneof(
  fc.record({ type: fc.constant('noop' as const), term, bytes: fc.nat(U32_MAX), stamp: natural }),
  fc.record({
    type: fc.constant('commands' as const),
    term,
    bytes: fc.nat(U32_MAX),
    stamp: natural,
    payload: bytes(200),
  }),
  fc.record({
    type: fc.constant('configuration' as const),
    term,
    bytes: fc.nat(U32_MAX),
    stamp: natural,
    configuration,
  }),
)

const append: fc.Arbitrary<Pick<GroupMessage, 'message' | 'payloads'>> = fc
  .record({
    term,
    previousIndex: fc.oneof(fc.nat(100), fc.constant(Number.MAX_SAFE_INTEGER - 5)),
    previousTerm: natural,
    commitIndex: natural,
    parts: fc.array(entry, { maxLength: 4 }),
  })
  .map(({ parts, ...rest }) => ({
    message: {
      type: 'appendRequest' as const,
      ...rest,
      entries: parts.map((part, at) => ({
        index: rest.previousIndex + 1 + at,
        term: part.term,
        bytes: part.bytes,
        ...(part.type === 'configuration' ? { configuration: part.configuration } : {}),
      })),
    },
    payloads: parts.map((part) => ({
      type: part.type,
      stamp: part.stamp,
      payload:
        part.type === 'configuration'
          ? encodeConfiguration(part.configuration)
          : part.type === 'commands'
            ? part.payload
            : new Uint8Array(0),
    })),
  }))

export const groupMessage: fc.Arbitrary<GroupMessage> = fc
  .tuple(
    fc.record({ group, from: positive, to: positive }),
    fc.oneof(
      plainMessage.map((plain) => ({ message: plain, payloads: [] })),
      append,
    ),
  )
  .map(([envelope, content]) => ({ ...envelope, ...content }))

const snapshotRow = fc.record({
  kind: fc.nat(255),
  slot: fc.nat(limits.slots - 1),
  key: bytes(20),
  value: bytes(80),
  checksum: fc.nat(U32_MAX),
})

const rarePeerFrame: fc.Arbitrary<PeerFrame> = fc.oneof(
  fc
    .tuple(
      protocolRange,
      fc.record({
        type: fc.constant('hello' as const),
        features,
        clusterId: fc.option(identity),
        dirId: identity,
        boot: natural,
        name,
        peerAddress: name,
        clientAddress: name,
        to: fc.option(identity),
        mapEpoch: natural,
        recoveredLog: natural,
        channel: fc.constantFrom(...channels),
        link: positive,
      }),
    )
    .map(([range, rest]) => ({ ...rest, ...range })),
  fc.record({
    type: fc.constant('welcome' as const),
    dirId: identity,
    boot: natural,
    clusterId: fc.option(identity),
    protocol: positive,
    mapEpoch: natural,
  }),
  fc.record({
    type: fc.constant('unwelcome' as const),
    code: fc.constantFrom(
      'WRONG_CLUSTER' as const,
      'WRONG_NODE',
      'RESTORED',
      'BANNED',
      'PROTOCOL_VERSION',
      'BAD_FRAME',
    ),
    message,
  }),
  fc.record({ type: fc.constant('probe' as const), sent: natural }),
  fc.tuple(natural, natural).map(([one, other]) => ({
    type: 'progress' as const,
    received: Math.max(one, other),
    done: Math.min(one, other),
  })),
  fc.record({ type: fc.constant('map' as const), map: shardMap }),
  fc.record({
    type: fc.constant('join' as const),
    name,
    dirId: identity,
    peerAddress: name,
    clientAddress: name,
  }),
  fc.record({
    type: fc.constant('snapshotChunk' as const),
    group,
    from: positive,
    to: positive,
    term,
    snapshot: fc.record({
      id: name,
      index: natural,
      term,
      configuration,
      configurationIndex: natural,
      machine: bytes(30),
      rowCount: natural,
    }),
    chunk: natural,
    last: fc.boolean(),
    rows: fc.array(snapshotRow, { maxLength: 4 }),
  }),
  fc.record({
    type: fc.constant('snapshotAnswer' as const),
    group,
    from: positive,
    to: positive,
    snapshot: name,
    nextChunk: natural,
    outcome: fc.constantFrom('more' as const, 'installed', 'refused'),
  }),
  fc.record({ type: fc.constant('excluded' as const), group, to: positive, configurationIndex: natural }),
  fc.record({ type: fc.constant('metaReport' as const), command: bytes(40) }),
  fc.record({ type: fc.constant('load' as const), leads: group }),
  fc.record({
    type: fc.constant('stateHash' as const),
    group,
    from: positive,
    index: natural,
    hash: identity,
  }),
)

const heartbeat: fc.Arbitrary<PeerFrame> = fc.oneof(
  fc.record({
    type: fc.constant('heartbeat' as const),
    setNumber: natural,
    sequence: natural,
    answers: natural,
    answersBoot: natural,
    syncedLog: natural,
    confirmedAge: milliseconds,
    wallMs: milliseconds,
    ledSet: fc.option(
      fc.array(fc.record({ group, term, leader: positive, receiver: positive }), { maxLength: 4 }),
    ),
    commits: fc.array(fc.record({ group, commitIndex: natural, capped: fc.boolean() }), { maxLength: 4 }),
  }),
  fc.record({
    type: fc.constant('heartbeatAnswer' as const),
    boot: natural,
    setNumber: natural,
    sequence: natural,
    wallMs: milliseconds,
    lowOnSpace: fc.boolean(),
    exceptions: fc.array(group, { maxLength: 4 }),
  }),
)

export const peerFrame: fc.Arbitrary<PeerFrame> = fc.oneof(
  { weight: 8, arbitrary: rarePeerFrame },
  { weight: 2, arbitrary: heartbeat },
  {
    weight: 4,
    arbitrary: fc.record({
      type: fc.constant('messages' as const),
      messages: fc.array(groupMessage, { maxLength: 4 }),
    }),
  },
)
