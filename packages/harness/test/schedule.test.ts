// The language of fault schedules: what is printed is read back, and what cannot be followed is refused with a reason.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { flag, offset, rate, whole } from '../src/schedule/argument.ts'
import { faultShapes } from '../src/schedule/fault-shapes.ts'
import {
  durationOf,
  familyOf,
  formatFault,
  formatSchedule,
  parseSchedule,
  ScheduleError,
  type ScheduledFault,
} from '../src/schedule/schedule.ts'
import { faultKinds } from '../src/simulation/swarm.ts'

/** By argument: what a fault of any kind may hold. Both sides are written out, so that a changed shape is noticed. */
const name = fc.stringMatching(/^[nc][1-9][0-9]{0,2}$/)
const names = fc.array(name, { minLength: 1, maxLength: 5 })
const count = fc.nat(100_000)
const counts = fc.array(count, { minLength: 1, maxLength: 5 })
const share = fc.nat(60_000).map((value) => value / 1000)
const yesNo = fc.boolean()
const ofNode = { node: name, for: count }
const ofNodes = { nodes: names, for: count }
const crash = fc.record({ ...ofNodes, back: counts })
const wall = fc.integer({ min: -3_600_000, max: 3_600_000 }).map((value) => value + 0)
const faultArguments: Record<(typeof faultKinds)[number], fc.Arbitrary<object>> = {
  crash,
  'crash-all': crash,
  'power-loss': crash,
  'power-loss-all': crash,
  'crash-at-boundary': fc.record({ ...ofNode, nth: count, power: yesNo }),
  'crash-then-power-loss': fc.record({ ...ofNodes, back: count, dark: count }),
  pause: fc.record(ofNode),
  'partition-one': fc.record(ofNode),
  'partition-halves': fc.record(ofNodes),
  'partition-bridge': fc.record({ ...ofNode, nodes: names }),
  'partition-one-way': fc.record(ofNode),
  cut: fc.record({ nodes: names }),
  'slow-link': fc.record({ from: name, to: name, for: count, extra: count }),
  'black-hole': fc.record({
    from: name,
    to: name,
    for: count,
    channel: fc.constantFrom('control', 'append', 'bulk'),
    ways: fc.constantFrom('out', 'back', 'both'),
    once: yesNo,
  }),
  swizzle: fc.record({ ...ofNodes, clog: counts, unclog: counts }),
  clock: fc.record({ ...ofNode, rate: share, wall }),
  'leader-clock': fc.record({ ...ofNode, wall }),
  transfer: fc.record({ ...ofNode, groups: counts }),
  members: fc.record({ group: count, ...ofNodes, withdraw: fc.option(count) }),
  'client-crash': fc.record({ client: name, for: count }),
  'disk-slow': fc.record({ ...ofNode, 'up-to': count }),
  'disk-error': fc.record({
    ...ofNode,
    operation: fc.constantFrom('write', 'sync', 'syncDirectory'),
    store: yesNo,
    nth: count,
  }),
  'disk-full': fc.record({ ...ofNode, free: count }),
  'bit-rot': fc.record({ ...ofNode, power: yesNo, store: yesNo, flips: count, chance: count, back: count }),
  wipe: fc.record({ ...ofNode, power: yesNo, back: count }),
  'old-copy': fc.record({ ...ofNode, lives: count, chance: count }),
  storm: fc.record({ for: count, delay: share, loss: share, duplication: share, overtaking: share }),
}

const fault = fc
  .constantFrom(...faultKinds)
  .chain((kind) => fc.record({ kind: fc.constant(kind), arguments: faultArguments[kind], pause: count }))

/** In the order of time, and none before the last of its family is over: what a nemesis could have done. */
const schedules = fc.array(fault, { maxLength: 20 }).map((drawn) => {
  const faults: ScheduledFault[] = []
  const ends = new Map<string, number>()
  for (const { kind, arguments: given, pause } of drawn) {
    const family = familyOf(kind)
    const atMs = Math.max(ends.get(family) ?? 0, faults.at(-1)?.atMs ?? 0) + pause
    const one = { atMs, kind, arguments: given } as ScheduledFault
    ends.set(family, atMs + durationOf(one))
    faults.push(one)
  }
  return faults
})

function refusal(text: string): Pick<ScheduleError, 'code' | 'line'> | null {
  try {
    parseSchedule(text)
    return null
  } catch (error) {
    if (!(error instanceof ScheduleError)) throw error
    return { code: error.code, line: error.line }
  }
}

describe('a schedule', () => {
  it('is read back as it was printed, whatever faults it has', () => {
    fc.assert(
      fc.property(schedules, (faults) => {
        expect(parseSchedule(formatSchedule(faults))).toEqual(faults)
      }),
    )
  })

  it('never fails with anything but a ScheduleError, whatever the text', () => {
    const word = fc.oneof(
      fc.constantFrom(
        ...faultKinds,
        ...Object.keys(faultShapes.clock),
        '=',
        '\n',
        '#',
        '1.5',
        '-',
        'node=n1',
        'for=',
      ),
      fc.string({ maxLength: 8 }),
    )
    fc.assert(
      fc.property(fc.array(word, { maxLength: 30 }), (words) => {
        refusal(words.join(' '))
      }),
    )
  })

  it('may have comments, empty lines, and arguments in any order', () => {
    const text = '# of seed 7\n\n  1.5 pause for=20 node=n1\r\n2 cut nodes=n1,n2\n'
    expect(parseSchedule(text)).toEqual([
      { atMs: 1_500, kind: 'pause', arguments: { node: 'n1', for: 20 } },
      { atMs: 2_000, kind: 'cut', arguments: { nodes: ['n1', 'n2'] } },
    ])
  })

  it.each([
    ['soon pause node=n1 for=5', 'BAD_TIME'],
    ['-1 pause node=n1 for=5', 'BAD_TIME'],
    ['1.2345 pause node=n1 for=5', 'BAD_TIME'],
    ['1 toString', 'UNKNOWN_KIND'],
    ['1', 'UNKNOWN_KIND'],
    ['1 pause node=n1 for=5 power=yes', 'UNKNOWN_ARGUMENT'],
    ['1 pause node=n1 for=5 for=6', 'REPEATED_ARGUMENT'],
    ['1 pause node=n1', 'MISSING_ARGUMENT'],
    ['1 pause node=n1 for=5.5', 'BAD_ARGUMENT'],
    ['1 pause node=N1 for=5', 'BAD_ARGUMENT'],
    ['1 cut nodes=', 'BAD_ARGUMENT'],
    ['1 cut nodes=n1,,n2', 'BAD_ARGUMENT'],
    ['1 wipe node=n1 for=5 back=1 power=true', 'BAD_ARGUMENT'],
    ['9 cut nodes=n1,n2\n1 cut nodes=n1,n2', 'NOT_ASCENDING'],
    ['1 partition-one node=n1 for=5000\n2 slow-link from=n1 to=n2 for=1 extra=1', 'OVERLAP'],
  ])('is refused by line and reason: %s', (text, code) => {
    expect(refusal(`# heading\n${text}`)).toEqual({ code, line: text.includes('\n') ? 3 : 2 })
  })

  it('lets faults of unlike families overlap, and one begin when the last of its family ends', () => {
    const text = '1 pause node=n1 for=5000\n2 cut nodes=n1,n2\n6 pause node=n2 for=1\n'
    expect(parseSchedule(text)).toHaveLength(3)
  })

  it('prints a fault as kind and arguments', () => {
    expect(
      formatFault({ kind: 'members', arguments: { group: 2, nodes: ['n1', 'n3'], withdraw: null, for: 9 } }),
    ).toBe('members group=2 nodes=n1,n3 for=9 withdraw=never')
  })
})

describe('the values of arguments', () => {
  it('have one way to be written', () => {
    expect(['-0', '--1', '1e3', '+1', ' 1', ''].map((text) => offset.parse(text))).toEqual(
      Array.from({ length: 6 }, () => undefined),
    )
    expect(['9007199254740993', '0x10', '-1'].map((text) => whole.parse(text))).toEqual(
      Array.from({ length: 3 }, () => undefined),
    )
    expect(['0.5', '2', '.5', '0.0001', 'Infinity'].map((text) => rate.parse(text))).toEqual([
      0.5,
      2,
      undefined,
      undefined,
      undefined,
    ])
    expect(['yes', 'no', 'maybe'].map((text) => flag.parse(text))).toEqual([true, false, undefined])
  })
})
