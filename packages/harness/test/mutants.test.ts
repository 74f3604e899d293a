import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { parseMutants } from '../src/mutation/mutant-file.ts'
import type { Mutant } from '../src/mutation/mutant.ts'
import { readRows, staleRows, writeRows } from '../src/mutation/page.ts'
import { misfits, patch } from '../src/mutation/patch.ts'
import { kindOfTest, unitTests } from '../src/mutation/test-files.ts'
import { medianSeconds } from '../src/mutation/median-seconds.ts'

const packages = path.resolve(import.meta.dirname, '../..')

const text = `# A comment.

mutant: a vote is forgotten
breaks: A3
file: raft/src/replica.ts
tests: raft/test/terms.test.ts raft/test/paper.test.ts
short
<<<
  keep(vote)

  more()
===
>>>

mutant: a log is cut
breaks: B8
file: raft/src/log-index.ts
<<<
cut(1)
===
cut(2)
>>>
`

function mutant(name: string): Mutant {
  return { name, breaks: 'B1', file: 'a/b.ts', original: 'one', replacement: 'two', tests: [], short: false }
}

const page = [
  'Words.',
  '<!-- mutants: made by `npm run mutants -- --write` -->',
  '<!-- end of mutants -->',
  '',
].join('\n')

describe('files of mutants', () => {
  it('hold a name, what is broken, a file, and a text with its replacement, blank lines included', () => {
    expect(parseMutants('here.txt', text)).toEqual([
      {
        name: 'a vote is forgotten',
        breaks: 'A3',
        file: 'raft/src/replica.ts',
        original: '  keep(vote)\n\n  more()',
        replacement: '',
        tests: ['raft/test/terms.test.ts', 'raft/test/paper.test.ts'],
        short: true,
      },
      {
        name: 'a log is cut',
        breaks: 'B8',
        file: 'raft/src/log-index.ts',
        original: 'cut(1)',
        replacement: 'cut(2)',
        tests: [],
        short: false,
      },
    ])
  })

  it.each([
    ['without an end', text.slice(0, text.lastIndexOf('>>>'))],
    ['without a change', text.slice(0, text.lastIndexOf('<<<'))],
    ['without what it breaks', text.replace('breaks: A3\n', '')],
    ['with an unknown field', text.replace('breaks: A3', 'breaks: A3\nby: somebody')],
    ['that changes nothing', text.replace('cut(2)', 'cut(1)')],
  ])('a mutant %s is refused with its place', (_what, broken) => {
    expect(() => parseMutants('here.txt', broken)).toThrow('here.txt')
  })
})

describe('a patch', () => {
  it('replaces its text where that occurs once', () => {
    expect(patch('zero one three', mutant('m'))).toBe('zero two three')
  })

  it('must name files that exist, and fit its own', () => {
    const real = { ...mutant('m'), file: 'harness/src/mutation/patch.ts', original: 'export function patch(' }
    expect(misfits(packages, [real])).toEqual([])
    expect(misfits(packages, [{ ...real, original: 'no such text' }])).toHaveLength(1)
    expect(misfits(packages, [{ ...real, tests: ['raft/test/no-such.test.ts'] }])).toHaveLength(1)
    expect(misfits(packages, [{ ...real, file: 'raft/src/no-such.ts' }])).toHaveLength(1)
  })

  it.each(['nothing here', 'one and one'])('refuses the text "%s"', (source) => {
    expect(() => patch(source, mutant('m'))).toThrow('"m"')
  })
})

describe('the layer of a test file', () => {
  it('is told by whether it imports fast-check, itself or through a file beside it', () => {
    expect(kindOfTest(packages, 'raft/test/terms.test.ts')).toBe('scripted')
    expect(kindOfTest(packages, 'raft/test/quorum.test.ts')).toBe('property')
    expect(kindOfTest(packages, 'protocol/test/frames.test.ts')).toBe('property')
  })

  it('is asked of unit tests only', () => {
    const tests = unitTests(packages, 'storage')
    expect(tests).toContain('storage/test/log/damage.test.ts')
    expect(tests.filter((file) => file.includes('system'))).toEqual([])
  })
})

describe('the page of mutants', () => {
  const killer = { layer: 'scripted', by: 'a|b', again: { seed: 1 }, seconds: 1.25 } as const

  it('keeps the rows of mutants that were not run, and drops those of mutants that are gone', () => {
    const first = writeRows(
      page,
      [mutant('m'), mutant('n')],
      new Map([
        ['m', [killer]],
        ['n', [killer]],
      ]),
    )
    const later = { ...killer, layer: 'simulator', seconds: 9 } as const
    const second = writeRows(first, [mutant('n'), mutant('m')], new Map([['m', [later]]]))
    expect([...readRows(second).entries()]).toEqual([
      ['n', '| n | B1 | scripted | a\\|b | 1.3 |'],
      ['m', '| m | B1 | simulator | a\\|b | 9.0 |'],
    ])
    const third = writeRows(second, [mutant('n')], new Map())
    expect([...readRows(third).keys()]).toEqual(['n'])
    expect(third.startsWith('Words.\n')).toBe(true)
  })

  it('is stale while a mutant has no row or survives, or a row has no mutant', () => {
    const written = writeRows(page, [mutant('m')], new Map([['m', [killer]]]))
    expect(staleRows(written, [mutant('m')])).toEqual([])
    expect(staleRows(written, [mutant('n')])).toHaveLength(2)
    const survived = writeRows(written, [mutant('m')], new Map([['m', []]]))
    expect(staleRows(survived, [mutant('m')])).toEqual(['"m" survives'])
  })

  it('says so where nobody found the mutant', () => {
    expect([...readRows(writeRows(page, [mutant('m')], new Map([['m', []]]))).values()]).toEqual([
      '| m | B1 | **nobody** | | |',
    ])
  })
})

describe('the median', () => {
  it.each([
    [[3, 1, 2], 2],
    [[4, 1, 3, 2], 2],
  ])('of %j is %d', (seconds, median) => {
    const killers = seconds.map(
      (each) => ({ layer: 'scripted', by: '', again: { seed: 1 }, seconds: each }) as const,
    )
    expect(medianSeconds(killers)).toBe(median)
  })
})
