// Random histories: what clients and a host may do to a shard, in any order.
import type { Command, Condition, Section, SessionId, Value } from '@quorate/protocol'
import fc from 'fast-check'
import { foundFor, GROUP } from './replica.ts'

export type Step =
  | {
      readonly do: 'entry'
      readonly elapsed: number
      readonly sections: readonly Section[] | null
      readonly type: 'commands'
    }
  | {
      readonly do: 'entry'
      readonly elapsed: number
      readonly sections: readonly []
      readonly type: 'noop' | 'configuration'
    }
  /** A section of an earlier entry once more. */
  | { readonly do: 'again'; readonly elapsed: number; readonly which: number }
  | { readonly do: 'freeze' }
  | { readonly do: 'write'; readonly count: number }
  | { readonly do: 'release' }
  | { readonly do: 'restart' }
  /** At a log time so far ahead of the clock. */
  | { readonly do: 'read'; readonly keys: readonly Uint8Array[]; readonly ahead: number }
  | { readonly do: 'fetch'; readonly which: number }
  | { readonly do: 'complete'; readonly which: number }
  /** Asks the store for what expires next; the answer comes later. */
  | { readonly do: 'lookAhead' }
  | { readonly do: 'lookedAhead' }
  /** The host chooses victims, in memory or in the store, and evicts them. */
  | { readonly do: 'evict'; readonly from: 'memory' | 'store'; readonly count: number }

export const keys: readonly Uint8Array[] = ['a', 'b', 'user:{1}', '{1}', 'lost'].map((text) =>
  new TextEncoder().encode(text),
)
const rawKey = Uint8Array.of(0, 255, 128)
export const allKeys: readonly Uint8Array[] = [...keys, rawKey]
/** Not founded by `foundSome`. */
export const strangeKey: Uint8Array = new TextEncoder().encode('stranger')

const key = fc.constantFrom(...allKeys, ...allKeys, strangeKey)

const value: fc.Arbitrary<Value> = fc.oneof(
  fc.record({ type: fc.constant('bytes' as const), bytes: fc.uint8Array({ maxLength: 6 }) }),
  fc.record({
    type: fc.constant('integer' as const),
    integer: fc.constantFrom(0, 1, -7, Number.MAX_SAFE_INTEGER),
  }),
  fc.constant<Value>({ type: 'bytes', bytes: new Uint8Array(1500).fill(7) }),
)

const condition: fc.Arbitrary<Condition> = fc.oneof(
  { weight: 3, arbitrary: fc.constant<Condition>({ type: 'always' }) },
  fc.constantFrom<Condition>({ type: 'ifAbsent' }, { type: 'ifPresent' }),
  // A low bound too, so that some versions are hit.
  fc.record({ type: fc.constant('ifVersion' as const), version: fc.oneof(fc.nat(12), fc.nat(60)) }),
)

const notAfter = fc.oneof({ weight: 5, arbitrary: fc.constant(Number.MAX_SAFE_INTEGER) }, fc.nat(4_000))
const sequence = fc.oneof({ weight: 6, arbitrary: fc.nat(8) }, fc.integer({ min: 1_020, max: 1_035 }))

const ttl = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: 1, max: 1_500 }) },
  fc.constantFrom(1, 500, 400_000),
)

const command: fc.Arbitrary<Command> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record(
      {
        op: fc.constant('set' as const),
        sequence,
        notAfter,
        key,
        value,
        condition,
        ttl: fc.oneof(fc.constant(0), ttl),
        evict: fc.constant(false as const),
      },
      { requiredKeys: ['op', 'sequence', 'notAfter', 'key', 'value', 'condition', 'ttl'] },
    ),
  },
  fc.record({ op: fc.constant('touch' as const), sequence, notAfter, key, condition, ttl }),
  fc.record({ op: fc.constant('persist' as const), sequence, notAfter, key, condition }),
  fc.record({ op: fc.constant('del' as const), sequence, notAfter, key, condition }),
  fc.record({
    op: fc.constant('incr' as const),
    sequence,
    notAfter,
    key,
    by: fc.constantFrom(1, 1, -1, 5, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER),
  }),
)

const group = fc.oneof({ weight: 20, arbitrary: fc.constant(GROUP) }, fc.constant(GROUP + 1))
/** Runs begin with two sessions, of versions 1 and 2. */
const session: fc.Arbitrary<SessionId> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ group: fc.constant(GROUP), version: fc.constantFrom(1, 2) }) },
  fc.record({ group, version: fc.nat(15) }),
)

const section: fc.Arbitrary<Section> = fc.oneof(
  {
    weight: 10,
    arbitrary: fc.record({
      kind: fc.constant('commands' as const),
      group,
      session,
      ackedUpTo: fc.oneof({ weight: 4, arbitrary: fc.constant(0) }, fc.nat(9)),
      commands: fc.array(command, { minLength: 1, maxLength: 5 }),
    }),
  },
  fc.record({ kind: fc.constant('openSession' as const), group, notAfter }),
  fc.record({ kind: fc.constant('closeSession' as const), group, session }),
  fc.nat(9).map((epoch) => foundSome(epoch)),
  fc.record({ kind: fc.constant('tick' as const), group }),
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('sweep' as const),
      group,
      limit: fc.integer({ min: 1, max: 4 }),
    }),
  },
  fc.record({
    kind: fc.constant('evict' as const),
    group,
    // Some of these versions are those of entries, most are of none.
    victims: fc.array(fc.record({ key, version: fc.integer({ min: 1, max: 40 }) }), {
      minLength: 1,
      maxLength: 6,
    }),
  }),
)

const elapsed = fc.oneof(
  { weight: 8, arbitrary: fc.integer({ min: -50, max: 900 }) },
  fc.constantFrom(300_000, 600_000),
)

const entryStep: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 10,
    arbitrary: fc.record({
      do: fc.constant('entry' as const),
      elapsed,
      sections: fc.array(section, { minLength: 1, maxLength: 3 }),
      type: fc.constant('commands' as const),
    }),
  },
  fc.record({
    do: fc.constant('entry' as const),
    elapsed,
    sections: fc.constant(null),
    type: fc.constant('commands' as const),
  }),
  fc.record({
    do: fc.constant('entry' as const),
    elapsed,
    sections: fc.constant<readonly []>([]),
    type: fc.constantFrom('noop' as const, 'configuration' as const),
  }),
)

const againStep: fc.Arbitrary<Step> = fc.record({
  do: fc.constant('again' as const),
  elapsed: fc.nat(200),
  which: fc.nat(20),
})

const hostStep: fc.Arbitrary<Step> = fc.oneof(
  fc.constantFrom<Step>({ do: 'freeze' }, { do: 'release' }, { do: 'restart' }),
  fc.constantFrom<Step>({ do: 'freeze' }, { do: 'release' }),
  fc.record({ do: fc.constant('write' as const), count: fc.integer({ min: 1, max: 6 }) }),
)

const evictStep: fc.Arbitrary<Step> = fc.record({
  do: fc.constant('evict' as const),
  from: fc.constantFrom('memory' as const, 'store' as const),
  count: fc.integer({ min: 1, max: 3 }),
})

const readStep: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    do: fc.constant('read' as const),
    keys: fc.array(key, { minLength: 1, maxLength: 3 }),
    ahead: fc.oneof(fc.constant(0), fc.integer({ min: -50, max: 900 })),
  }),
  fc.constantFrom<Step>({ do: 'lookAhead' }, { do: 'lookedAhead' }),
  fc.record({ do: fc.constant('fetch' as const), which: fc.nat(3) }),
  fc.record({ do: fc.constant('complete' as const), which: fc.nat(3) }),
)

export const clientSteps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof({ weight: 3, arbitrary: entryStep }, againStep),
  { maxLength: 30, size: 'max' },
)

export const allSteps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: entryStep },
    { weight: 2, arbitrary: againStep },
    { weight: 4, arbitrary: hostStep },
    { weight: 5, arbitrary: readStep },
    { weight: 2, arbitrary: evictStep },
  ),
  { maxLength: 60, size: 'max' },
)

/** Every key of `allKeys`; not the strange one. */
export const foundSome = (epoch: number): Section => foundFor(allKeys, epoch)
