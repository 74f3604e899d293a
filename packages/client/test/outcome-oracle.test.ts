// Random fates of an operation's attempts against what the outcome table says of them.
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Asked, FakeNode, Said } from './fake-cluster.ts'
import { type Scripted, createScripted, ending, open, refused } from './scripted.ts'

/** What happens to one attempt. `Late`: it is executed (or not) some time after everybody gave it up. */
type Fate =
  | { readonly type: 'answer' }
  | { readonly type: 'executeAndLose' | 'executeAndCut' | 'executeAndSayOpen' | 'executeAndExpire' }
  | { readonly type: 'lose' | 'cut' | 'sayOpen' }
  | { readonly type: 'expire' }
  | { readonly type: 'late'; readonly afterMs: number; readonly said: 'silent' | 'cut' | 'sayOpen' }
  | {
      readonly type: 'refuse'
      readonly code:
        | 'NOT_LEADER'
        | 'OVERLOADED'
        | 'NO_LEADER'
        | 'WRONG_SHARD'
        | 'DISK_FULL'
        | 'REPLICA_STOPPED'
    }

const fates: fc.Arbitrary<Fate> = fc.oneof(
  fc.constantFrom<Fate>(
    { type: 'answer' },
    { type: 'executeAndLose' },
    { type: 'executeAndCut' },
    { type: 'executeAndSayOpen' },
    { type: 'executeAndExpire' },
    { type: 'lose' },
    { type: 'cut' },
    { type: 'sayOpen' },
    { type: 'expire' },
  ),
  fc.record({
    type: fc.constant('late' as const),
    afterMs: fc.integer({ min: 0, max: 4_000 }),
    said: fc.constantFrom('silent', 'cut', 'sayOpen'),
  }),
  fc.record({
    type: fc.constant('refuse' as const),
    code: fc.constantFrom(
      'NOT_LEADER',
      'OVERLOADED',
      'NO_LEADER',
      'WRONG_SHARD',
      'DISK_FULL',
      'REPLICA_STOPPED',
    ),
  }),
)

type Outcome = 'ok' | 'not-done' | 'unknown'
type Seen = 'applied' | 'refused' | 'open'

/** Lets an attempt meet its fate; returns what the client can know of it. */
function meet(fate: Fate, asked: Asked, node: FakeNode, scripted: Scripted): readonly [Said, Seen] {
  const { cluster } = scripted
  const group = cluster.group(1)
  // Whoever is asked leads: only the fate decides.
  group.leader = node.address
  const execute = (): void => {
    if (asked.type === 'write') cluster.apply(group, asked.section)
  }
  const forgetSessions = (): void => group.sessions.clear()
  switch (fate.type) {
    case 'answer':
      return ['serve', 'applied']
    case 'expire':
      forgetSessions()
      return ['serve', 'refused']
    case 'executeAndExpire':
      execute()
      forgetSessions()
      return ['silent', 'open']
    case 'executeAndLose':
      return ['apply', 'open']
    case 'executeAndCut':
      return ['applyAndCut', 'open']
    case 'executeAndSayOpen':
      execute()
      return [open(), 'open']
    case 'lose':
      return ['silent', 'open']
    case 'cut':
      return ['cut', 'open']
    case 'sayOpen':
      return [open(), 'open']
    case 'late':
      cluster.time.timers.after(fate.afterMs, execute)
      return [fate.said === 'sayOpen' ? open() : fate.said, 'open']
    case 'refuse':
      return [refused(fate.code), 'refused']
  }
}

test('E2 E3 E4 whatever happens to its attempts, an operation happens at most once and its outcome is honest', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fates, { minLength: 1, maxLength: 8 }), fates, async (script, last) => {
      const scripted = await createScripted({ timeout: 900 })
      const { cluster, cache } = scripted
      const seen: { readonly known: Seen; readonly at: number }[] = []
      cluster.script = (asked, node) => {
        if (asked.type !== 'write' || asked.section.kind !== 'commands') {
          cluster.group(1).leader = node.address
          return 'serve'
        }
        const [said, known] = meet(script[seen.length] ?? last, asked, node, scripted)
        seen.push({ known, at: cluster.time.now + LATENCY_MS })
        return said
      }
      const startedAt = cluster.time.now
      const end = await cluster.time.until(ending(cache.incr('key')))
      const endedAt = cluster.time.now
      expect(endedAt - startedAt).toBeLessThanOrEqual(904)
      // What was under way, in either direction, happens now.
      await cluster.time.advance(6_000)

      const actual: Outcome = 'ok' in end ? 'ok' : end.outcome
      // Replies that met the end of the operation may or may not have been heard.
      const heardBefore = (at: number): Seen[] =>
        seen.map((attempt) => (attempt.at <= at ? attempt.known : 'open'))
      expect([outcomeOf(heardBefore(endedAt)), outcomeOf(heardBefore(endedAt - LATENCY_MS))]).toContain(
        actual,
      )
      const entry = cluster.group(1).entries.get('key')
      const count = entry?.value.type === 'integer' ? entry.value.integer : 0
      expect(allowedCounts[actual]).toContain(count)
    }),
    { numRuns: 100 },
  )
})

/** The fake cluster's, each way. */
const LATENCY_MS = 1

/** The outcome table's last sentence. */
function outcomeOf(attempts: readonly Seen[]): Outcome {
  if (attempts.includes('applied')) return 'ok'
  return attempts.every((attempt) => attempt === 'refused') ? 'not-done' : 'unknown'
}

/** How often an operation of this outcome may have happened, once nothing of it is under way any more. */
const allowedCounts = { ok: [1], 'not-done': [0], unknown: [0, 1] } as const
