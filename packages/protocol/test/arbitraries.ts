// Every kind of thing that the wire format carries, at random.
import type { Configuration } from '@quorate/raft'
import fc from 'fast-check'
import type {
  Answer,
  ClientFrame,
  ClientReply,
  Command,
  Condition,
  Position,
  Result,
  Section,
  ServerFrame,
  SessionId,
  ShardMap,
  Value,
  RelaxedRead,
} from '../src/index.ts'
import { encodeSection, errorCodes, limits } from '../src/index.ts'

export const U32_MAX = 0xffff_ffff

export const natural = fc.oneof(
  fc.nat(1000),
  fc.maxSafeNat(),
  fc.constantFrom(0, Number.MAX_SAFE_INTEGER, U32_MAX, U32_MAX + 1),
)
export const positive = natural.map((value) => Math.max(value, 1))
const integer = fc
  .oneof(fc.integer(), fc.maxSafeInteger(), fc.constantFrom(0, Number.MIN_SAFE_INTEGER))
  .map((value) => value + 0)
export const group = fc.oneof(fc.nat(9), fc.constantFrom(U32_MAX))
export const bytes = (maxLength: number) => fc.uint8Array({ maxLength })
export const identity = fc
  .uint8Array({ minLength: 16, maxLength: 16 })
  .map((id) => Buffer.from(id).toString('hex'))
const oddNames = ['__proto__', 'constructor', 'n1', 'ö', '😀', '\u{feff}x']
export const name = fc.oneof(
  fc.constantFrom(...oddNames),
  fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 }),
)
export const message = fc.oneof(fc.constant(''), name)

const keyTexts = ['__proto__', 'constructor', 'a', '{user1000}.following', '\u0000']
export const key: fc.Arbitrary<Uint8Array> = fc.oneof(
  fc.constantFrom(...keyTexts).map((text) => new TextEncoder().encode(text)),
  fc.uint8Array({ minLength: 1, maxLength: 40 }),
  fc.constant(new Uint8Array(limits.keyBytes).fill(0x61)),
)

export const value: fc.Arbitrary<Value> = fc.oneof(
  fc
    .oneof(bytes(40), fc.constantFrom(new Uint8Array(100).fill(1), new Uint8Array(1200).fill(2)))
    .map((content) => ({ type: 'bytes' as const, bytes: content })),
  integer.map((content) => ({ type: 'integer' as const, integer: content })),
)

const condition: fc.Arbitrary<Condition> = fc.oneof(
  fc.constantFrom<Condition>({ type: 'always' }, { type: 'ifAbsent' }, { type: 'ifPresent' }),
  fc.record({ type: fc.constant('ifVersion' as const), version: natural }),
)

const ttl = fc.oneof(fc.integer({ min: 1, max: 1000 }), fc.constantFrom(1, limits.ttlMs))
const ttl0 = fc.oneof(ttl, fc.constant(0))

/** Sequences of one section lie within 2^32 of each other. */
const commandAt = (base: number): fc.Arbitrary<Command> => {
  const common = { sequence: fc.nat(5000).map((step) => base + step), notAfter: natural, key }
  return fc.oneof(
    fc.record(
      {
        op: fc.constant('set' as const),
        ...common,
        value,
        condition,
        ttl: ttl0,
        evict: fc.constant(false as const),
      },
      { requiredKeys: ['op', 'sequence', 'notAfter', 'key', 'value', 'condition', 'ttl'] },
    ),
    fc.record({ op: fc.constant('del' as const), ...common, condition }),
    fc.record({ op: fc.constant('touch' as const), ...common, condition, ttl }),
    fc.record({ op: fc.constant('persist' as const), ...common, condition }),
    fc.record({ op: fc.constant('incr' as const), ...common, by: integer }),
  )
}

const session: fc.Arbitrary<SessionId> = fc.record({ group, version: natural })

export const clientSection: fc.Arbitrary<Section> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.constantFrom(0, 7, U32_MAX, Number.MAX_SAFE_INTEGER - 5000).chain((base) =>
      fc.record({
        kind: fc.constant('commands' as const),
        group,
        session,
        ackedUpTo: natural,
        commands: fc.array(commandAt(base), { minLength: 1, maxLength: 6 }),
      }),
    ),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('openSession' as const), group, notAfter: natural }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('closeSession' as const), group, session }) },
)

export const section: fc.Arbitrary<Section> = fc.oneof(
  { weight: 6, arbitrary: clientSection },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('found' as const),
      group,
      epoch: natural,
      slots: fc.nat(255).map((byte) => new Uint8Array(2048).fill(byte)),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('tick' as const), group }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('sweep' as const),
      group,
      limit: fc.integer({ min: 1, max: limits.sweepEntries }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('evict' as const),
      group,
      victims: fc.array(fc.record({ key, version: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }) }), {
        minLength: 1,
        maxLength: 6,
      }),
    }),
  },
)

const position: fc.Arbitrary<Position> = fc.record({
  epoch: fc.oneof(fc.nat(2), natural),
  version: natural,
  t: fc.oneof(fc.nat(2), natural),
})

const result: fc.Arbitrary<Result> = fc.oneof(
  fc.record({ type: fc.constant('written' as const), version: natural }),
  fc.record({ type: fc.constant('touched' as const), version: natural }),
  fc.record({
    type: fc.constant('lost' as const),
    version: natural,
    value: fc.option(value),
    valueOmitted: fc.constant(false),
  }),
  fc.record({
    type: fc.constant('lost' as const),
    version: natural,
    value: fc.constant(null),
    valueOmitted: fc.constant(true),
  }),
  fc.record({ type: fc.constant('deleted' as const), existed: fc.boolean() }),
  fc.record({ type: fc.constant('counted' as const), version: natural, integer }),
  fc.constantFrom<Result>({ type: 'notANumber' }, { type: 'overflow' }, { type: 'done' }, { type: 'absent' }),
  fc.record({ type: fc.constant('sessionOpened' as const), session }),
  fc.record({ type: fc.constant('entry' as const), version: natural, value, expiresAt: natural }),
)

const refusals = [
  'MOVED',
  'SESSION_EXPIRED',
  'SESSION_WINDOW',
  'STALE',
  'LATE',
  'UNKNOWN_COMMAND',
  'SESSIONS_FULL',
] as const
export const answer: fc.Arbitrary<Answer> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ type: fc.constant('applied' as const), position, result }) },
  {
    weight: 1,
    arbitrary: fc.record({
      type: fc.constant('refused' as const),
      code: fc.constantFrom(...refusals),
      position,
    }),
  },
)

export const configuration: fc.Arbitrary<Configuration> = fc
  .uniqueArray(positive, { maxLength: 9 })
  .chain((ids) =>
    fc.tuple(fc.constant(ids.toSorted((a, b) => a - b)), fc.array(fc.nat(4), { minLength: 9, maxLength: 9 })),
  )
  .map(([ids, roles]) => {
    const having = (...wanted: number[]) => ids.filter((_, at) => wanted.includes(roles[at] ?? 0))
    // 0 voter, 1 voter on both sides, 2 outgoing, 3 outgoing and next learner, 4 learner.
    const voters = having(0, 1)
    const joint = voters.length > 0
    return {
      voters,
      outgoing: joint ? having(1, 2, 3) : [],
      learners: joint ? having(4) : having(2, 3, 4),
      learnersNext: joint ? having(3) : [],
    }
  })

export const shardMap: fc.Arbitrary<ShardMap> = fc
  .record({
    clusterId: identity,
    epoch: natural,
    nodes: fc.uniqueArray(fc.record({ dirId: identity, name, peerAddress: name, clientAddress: name }), {
      maxLength: 4,
      selector: (node) => node.name,
    }),
    groups: fc.uniqueArray(
      fc.record({
        group,
        foundedAt: natural,
        incarnations: fc.uniqueArray(fc.integer({ min: 1, max: 1_000 }), { maxLength: 4 }),
        founders: fc.uniqueArray(fc.integer({ min: 1, max: 1_000 }), { maxLength: 4 }),
        change: fc.option(
          fc.record({ id: positive, cancelled: fc.boolean(), term: natural, keep: fc.nat(4) }),
        ),
      }),
      {
        maxLength: 4,
        selector: (entry) => entry.group,
      },
    ),
    removed: fc.uniqueArray(identity, { maxLength: 3 }),
    leaves: fc.nat(2),
    cuts: fc.array(fc.nat(limits.slots), { maxLength: 6 }),
  })
  .map(({ clusterId, epoch, nodes, groups, removed, leaves, cuts }) => {
    const ascending = (list: number[]): number[] => list.toSorted((a, b) => a - b)
    const slots = new Uint32Array(limits.slots)
    for (const [at, cut] of cuts.entries()) slots.fill(groups[at]?.group ?? 0, cut)
    return {
      clusterId,
      epoch,
      nodes,
      nextIncarnation: 1_001,
      bytesMax: epoch,
      leaving: nodes.slice(0, leaves).map((node) => node.dirId),
      removed: removed.filter((dirId) => nodes.every((node) => node.dirId !== dirId)),
      groups: groups
        .toSorted((a, b) => a.group - b.group)
        .map((entry) => {
          const incarnations = entry.incarnations.slice(0, nodes.length)
          const { change } = entry
          const target = ascending(incarnations).slice(0, change?.keep ?? 0)
          return {
            group: entry.group,
            foundedAt: entry.foundedAt,
            founders: ascending(entry.founders),
            change:
              change === null || target.length === 0
                ? null
                : { id: change.id, target, cancelled: change.cancelled, term: change.term },
            replicas: incarnations.map((incarnation, at) => ({ incarnation, node: nodes[at]?.dirId ?? '' })),
          }
        }),
      slots,
    }
  })

export const protocolRange = fc
  .tuple(positive, positive)
  .map(([a, b]) => ({ protocolMin: Math.min(a, b), protocolMax: Math.max(a, b) }))
export const features = fc.nat(U32_MAX)

/** With a fraction or without. */
const milliseconds = fc.oneof(natural, fc.double({ min: 0, max: 2 ** 50, noNaN: true }).map(Math.abs))

export const relaxedRead: fc.Arbitrary<RelaxedRead> = fc.oneof(
  fc.constant({ consistency: 'lease' as const }),
  fc.record({ consistency: fc.constant('stale' as const), maxAge: fc.option(milliseconds) }),
)

export const clientFrame: fc.Arbitrary<ClientFrame> = fc.oneof(
  fc
    .tuple(protocolRange, fc.option(identity), features)
    .map(([range, clusterId, bits]) => ({ type: 'hello' as const, ...range, clusterId, features: bits })),
  fc.record({ type: fc.constant('status' as const), requestId: natural }),
  fc.record({
    type: fc.constant('admin' as const),
    requestId: natural,
    request: fc.oneof(
      fc.record({ action: fc.constant('assign' as const), group, nodes: fc.array(name, { maxLength: 5 }) }),
      fc.record({ action: fc.constant('cancel' as const), group, change: natural }),
      fc.record({ action: fc.constant('remove' as const), node: name }),
    ),
  }),
  fc.record({
    type: fc.constant('requests' as const),
    mapEpoch: natural,
    requests: fc.array(
      fc.oneof(
        fc.record({
          type: fc.constant('write' as const),
          requestId: natural,
          group,
          section: clientSection.map(encodeSection),
        }),
        fc.record({
          type: fc.constant('read' as const),
          requestId: natural,
          section: fc.record({ group, keys: fc.array(key, { minLength: 1, maxLength: 5 }) }),
        }),
        fc.record({
          type: fc.constant('read' as const),
          requestId: natural,
          how: relaxedRead,
          section: fc.record({ group, keys: fc.array(key, { minLength: 1, maxLength: 5 }) }),
        }),
      ),
      { maxLength: 5 },
    ),
  }),
)

export const reply: fc.Arbitrary<ClientReply> = fc.oneof(
  fc.record({
    type: fc.constant('answers' as const),
    requestId: natural,
    leaderTime: natural,
    answers: fc.array(answer, { maxLength: 5 }),
  }),
  fc.record({
    type: fc.constant('answers' as const),
    requestId: natural,
    leaderTime: natural,
    answers: fc.array(answer, { maxLength: 5 }),
    age: fc.option(milliseconds),
  }),
  fc.record({
    type: fc.constantFrom('refused' as const, 'open' as const),
    requestId: natural,
    code: fc.constantFrom(...errorCodes),
    leader: fc.option(name),
  }),
  fc.record({
    type: fc.constant('refused' as const),
    requestId: natural,
    code: fc.constantFrom(...errorCodes),
    leader: fc.option(name),
    leaderTime: natural,
  }),
)

export const serverFrame: fc.Arbitrary<ServerFrame> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      type: fc.constant('replies' as const),
      mapEpoch: natural,
      replies: fc.array(reply, { maxLength: 5 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      type: fc.constant('welcome' as const),
      protocol: positive,
      clusterId: identity,
      node: name,
      boot: natural,
      features,
      map: shardMap,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      type: fc.constant('unwelcome' as const),
      code: fc.constantFrom(...errorCodes),
      message,
    }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('map' as const), map: shardMap }) },
  {
    weight: 1,
    arbitrary: fc.record({ type: fc.constant('status' as const), requestId: natural, json: fc.json() }),
  },
)
