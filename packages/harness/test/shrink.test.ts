import fc from 'fast-check'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Violation } from '../src/check/violation.ts'
import { parseSchedule } from '../src/schedule/schedule.ts'
import { parseSimArguments } from '../src/sim-command/arguments.ts'
import type { SeedOrder } from '../src/sim-command/run-order.ts'
import { sequenceDiagram } from '../src/sim-command/sequence-diagram.ts'
import { shrinkSeed } from '../src/sim-command/shrink-seed.ts'
import { shrinkFaults } from '../src/sim-command/shrink.ts'
import type { SeedResult } from '../src/simulation/run-seed.ts'

const RUNS_MAX = 1_000

describe('shrinking a failing run', () => {
  it('leaves exactly the faults that are needed, whichever they are', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(fc.nat(40), { maxLength: 20 }), fc.nat(), async (numbers, mask) => {
        const faults = numbers.toSorted((left, right) => left - right)
        const needed = faults.filter((_, at) => (mask & (1 << (at % 8))) !== 0).slice(0, 3)
        const fails = async (only: readonly number[]): Promise<boolean> =>
          needed.every((one) => only.includes(one))
        expect((await shrinkFaults(faults, fails, RUNS_MAX)).faults).toEqual(needed)
      }),
    )
  })

  it('stops when it has had its runs, with a schedule that fails', async () => {
    const faults = Array.from({ length: 30 }, (_, at) => at)
    const tried: (readonly number[])[] = []
    const { faults: left, runs } = await shrinkFaults(
      faults,
      async (only) => {
        tried.push(only)
        return only.includes(3) && only.includes(29)
      },
      7,
    )
    expect(runs).toBe(7)
    expect(tried).toHaveLength(7)
    expect(left).toContain(3)
    expect(left).toContain(29)
  })
})

const broken: Violation = { checker: 'durable', message: 'on the disks of <nobody>', operations: [] }
const schedule = parseSchedule(
  '1.0 pause node=n1 for=10\n2.0 crash nodes=n2 for=10 back=1\n3.0 wipe node=n3 for=9 power=no back=1\n',
)

function resultOf(given: SeedResult['schedule'], violations: readonly Violation[]): SeedResult {
  return {
    seed: 7,
    plan: {
      nodes: 3,
      spares: 0,
      shards: 1,
      clients: 1,
      settings: {},
      maxBytes: 0,
      faults: ['crash'],
      faultPauseMsMean: 1,
      climate: { delayMsMean: 1, loss: 0, duplication: 0, overtakingMs: 0 },
      durationMs: 1,
    },
    violations,
    evictions: 0,
    traceHash: '',
    events: 0,
    simulatedMs: 0,
    cpuMs: 0,
    counts: { ok: 0, fail: 0, info: 0 },
    relaxed: { lease: 0, stale: 0, dated: 0 },
    faults: {},
    hashesCompared: 0,
    durableJudged: 0,
    schedule: given,
  }
}

describe('a failing seed', () => {
  it('leaves a schedule that fails for the same reason, and a picture of that run', async () => {
    const out = mkdtempSync(path.join(os.tmpdir(), 'quorate-shrink-'))
    // The crash breaks it; without the pause something else is wrong.
    const judge = ({ schedule: text = '' }: SeedOrder): SeedResult => {
      const given = parseSchedule(text)
      const kinds = given.map(({ kind }) => kind)
      const checker = kinds.includes('pause') ? 'durable' : 'floor'
      return resultOf(given, kinds.includes('crash') ? [{ ...broken, checker }] : [])
    }
    const printed: string[] = []
    try {
      await shrinkSeed(resultOf(schedule, [broken]), {
        order: { seed: 7, shards: 2 },
        out,
        print: (line) => printed.push(line),
        run: async (order) => judge(order),
        watch: async (order, { sink, message }) => {
          sink?.({ timeMs: 5, process: 'n1', text: 'CRASH' })
          message?.({ timeMs: 6, from: 'n1', to: 'n2', group: 2, text: 'vote? t3' })
          return judge(order)
        },
      })
      const text = readFileSync(path.join(out, 'seed-7.schedule'), 'utf8')
      expect(text).toContain('--shards 2 --seed 7 --schedule')
      expect(parseSchedule(text)).toEqual(schedule.slice(0, 2))
      expect(readFileSync(path.join(out, 'seed-7.html'), 'utf8')).toContain('g2 vote? t3')
      expect(printed[0]).toMatch(/^seed 7 still fails with 2 of its 3 faults \(\d+ runs\):$/)
    } finally {
      rmSync(out, { recursive: true })
    }
  })
})

describe('a sequence diagram', () => {
  const line = (timeMs: number, process: string, text: string) => ({ timeMs, process, text })
  const message = (timeMs: number, group: number, text: string) => ({
    timeMs,
    from: 'n1',
    to: 'n2',
    group,
    text,
  })

  it('has the faults of the whole run, and of messages those before the run knew, with all text made harmless', () => {
    const html = sequenceDiagram({
      replay: 'main-sim --seed <7>',
      lines: [
        line(100, 'world', 'fault pause node=n1 for=1'),
        line(200, 'n1', 'long ago'),
        line(60_000, 'world', 'VIOLATION <script>'),
        line(64_000, 'n1', 'much later'),
      ],
      messages: [
        message(300, 1, 'early'),
        message(59_000, 1, 'append 1..2 t<3>'),
        message(63_000, 1, 'late'),
      ],
      violations: [broken],
    })
    for (const shown of [
      'fault pause',
      'VIOLATION &lt;script&gt;',
      'g1 append 1..2 t&lt;3&gt;',
      '&lt;nobody&gt;',
    ])
      expect(html).toContain(shown)
    for (const hidden of ['long ago', 'much later', 'early', 'late<', '<script', '<7>'])
      expect(html).not.toContain(hidden)
  })
})

describe('the flags of the simulator', () => {
  it.each([
    ['--seed 7 --shrink 7', 'give one of'],
    ['', 'give one of'],
    ['--seeds 1..3 --schedule a', '--schedule goes with'],
    ['--seeds 1..3 --print-schedule', '--print-schedule goes with'],
    ['--shrink 0', 'positive integer'],
    ['--seeds 3..1', 'write 1..300'],
  ])('refuse what makes no sense: %s', (flags, reason) => {
    expect(() => parseSimArguments(flags.split(' ').filter((flag) => flag !== ''))).toThrow(reason)
  })
})
