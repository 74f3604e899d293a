// Random histories in which nearly everything has a deadline, over so many keys that no window holds them.
import type { Command, Section } from '@quorate/protocol'
import fc from 'fast-check'
import { GROUP } from './replica.ts'
import type { Step } from './scenario.ts'

export const manyKeys: readonly Uint8Array[] = Array.from({ length: 40 }, (_, at) =>
  new TextEncoder().encode(`k${at}`),
)
/** Opened by every run. */
const session = { group: GROUP, version: 1 }
const never = Number.MAX_SAFE_INTEGER

const key = fc.constantFrom(...manyKeys)
const always = { type: 'always' } as const
const ttl = fc.integer({ min: 1, max: 40 }).map((ticks) => ticks * 50)

const anyChange = fc.oneof(
  { weight: 6, arbitrary: fc.record({ op: fc.constant('set' as const), key, ttl }) },
  fc.record({ op: fc.constant('set' as const), key, ttl: fc.constant(0) }),
  { weight: 2, arbitrary: fc.record({ op: fc.constant('touch' as const), key, ttl }) },
  fc.record({ op: fc.constantFrom('persist' as const, 'del' as const, 'incr' as const), key }),
)
type Change = typeof anyChange extends fc.Arbitrary<infer T> ? T : never

function commandOf(change: Change, sequence: number): Command {
  const common = { sequence, notAfter: never, key: change.key }
  switch (change.op) {
    case 'set':
      return {
        op: 'set',
        ...common,
        value: { type: 'integer', integer: sequence },
        condition: always,
        ttl: change.ttl,
      }
    case 'touch':
      return { op: 'touch', ...common, condition: always, ttl: change.ttl }
    case 'incr':
      return { op: 'incr', ...common, by: 1 }
    case 'persist':
    case 'del':
      return { op: change.op, ...common, condition: always }
  }
}

type Part = { readonly changes: readonly Change[] } | { readonly limit: number }

const part: fc.Arbitrary<Part> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ changes: fc.array(anyChange, { minLength: 1, maxLength: 8 }) }) },
  fc.record({ limit: fc.integer({ min: 1, max: 9 }) }),
)

const entry = fc.record({
  elapsed: fc.constantFrom(0, 50, 50, 100, 300),
  parts: fc.array(part, { minLength: 1, maxLength: 3 }),
})

const host: fc.Arbitrary<Step> = fc.oneof(
  fc.constantFrom<Step>(
    { do: 'freeze' },
    { do: 'release' },
    { do: 'write', count: 1_000 },
    { do: 'lookAhead' },
    { do: 'lookedAhead' },
  ),
  { weight: 1, arbitrary: fc.constant<Step>({ do: 'restart' }) },
  fc.record({
    do: fc.constant('read' as const),
    keys: fc.array(key, { minLength: 1, maxLength: 3 }),
    ahead: fc.constantFrom(0, 50, 200),
  }),
)

/** Every command has a sequence of its own: none is a retry. */
export const deadlineSteps: fc.Arbitrary<Step[]> = fc
  .array(fc.oneof({ weight: 3, arbitrary: entry }, { weight: 4, arbitrary: host }), {
    maxLength: 80,
    size: 'max',
  })
  .map((steps) => {
    let sequence = 0
    return steps.map((step): Step => {
      if ('do' in step) return step
      const sections = step.parts.map((each): Section => {
        if ('limit' in each) return { kind: 'sweep', group: GROUP, limit: each.limit }
        const ackedUpTo = sequence
        const commands = each.changes.map((one) => commandOf(one, (sequence += 1)))
        return { kind: 'commands', group: GROUP, session, ackedUpTo, commands }
      })
      return { do: 'entry', type: 'commands', elapsed: step.elapsed, sections }
    })
  })
