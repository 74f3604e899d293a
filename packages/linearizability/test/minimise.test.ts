// A minimised history proves something only if each step that made it keeps legal histories legal.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { subjectOf } from '../src/history/subject.ts'
import { models } from '../src/index.ts'
import { randomHistory } from '../src/proof/random-history.ts'
import { bruteForce } from '../src/verdict/brute-force.ts'
import { beginning, leaveOut } from '../src/verdict/minimise.ts'
import { type Part, Parts } from '../src/verdict/parts.ts'

const names = models.map(({ name }) => name)

function legalParts(name: string, seed: number): { parts: Parts; all: Part[] } | null {
  const model = models.find((known) => known.name === name)
  const made = model === undefined ? null : randomHistory(model, seed, 8)
  if (made === null) return null
  const [rows = new Int32Array()] = made.history.rowsByKey()
  const parts = new Parts(subjectOf(made.history, rows))
  const all = parts.all()
  return bruteForce(parts.problem(all)) === 'ok' ? { parts, all } : null
}

test.each(names)('what is left of a legal history of a %s is legal', (name) => {
  fc.assert(
    fc.property(fc.nat(), fc.nat(), fc.nat(255), fc.nat(255), (seed, end, chosen, loose) => {
      const legal = legalParts(name, seed)
      if (legal === null) return
      const { parts, all } = legal
      const isIn = (bits: number, at: number) => ((bits >> at) & 1) === 1
      const looser = all.map((part, at) => {
        const effect = parts.effect(part)
        return effect !== null && effect.leadsTo >= 0 && isIn(loose, at) ? { ...part, loose: true } : part
      })
      const begun = beginning(parts, looser, end % (2 * all.length))
      const left = leaveOut(parts, begun, new Set(begun.filter((_, at) => isIn(chosen, at))))
      expect(bruteForce(parts.problem(left))).toBe('ok')
    }),
    { numRuns: 4_000 },
  )
})
