// The wheel against a model: every alarm that is set rings once, in time, in order; one that is cancelled never does.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { WHEEL_STEP_MS } from '../src/limits.ts'
import { type Alarm, type AlarmStep, Wheel } from '../src/wheel.ts'
import { createVirtualTime } from './virtual-time.ts'

class TestAlarm implements Alarm<TestAlarm> {
  step: AlarmStep<TestAlarm> | null = null
  before: TestAlarm | null = null
  behind: TestAlarm | null = null
  readonly name: number
  constructor(name: number) {
    this.name = name
  }
}

const ALARMS = 6
const action = fc.oneof(
  fc.record({ type: fc.constant('set' as const), alarm: fc.nat(ALARMS - 1), afterMs: fc.nat(40) }),
  fc.record({ type: fc.constant('cancel' as const), alarm: fc.nat(ALARMS - 1) }),
)
type Action = typeof action extends fc.Arbitrary<infer One> ? One : never
/** What happens at one moment, and how long after the one before. */
const moment = fc.record({ waitMs: fc.nat(20), actions: fc.array(action, { maxLength: 6 }) })

test('whatever is set, moved and cancelled, also while alarms ring, the wheel does what a list would do', async () => {
  const property = fc.asyncProperty(
    fc.array(moment, { maxLength: 12 }),
    fc.array(fc.array(action, { maxLength: 3 }), { maxLength: 8 }),
    async (moments, insideRings) => {
      const time = createVirtualTime()
      const alarms = Array.from({ length: ALARMS }, (_, name) => new TestAlarm(name))
      /** Steps at which they are to ring, in the order in which they were set. */
      const model = new Map<TestAlarm, number>()
      const rung: number[] = []
      const isSet = (): string => names(model.keys())
      const perform = (actions: readonly Action[]): void => {
        for (const one of actions) {
          const alarm = alarms[one.alarm]
          if (alarm === undefined) continue
          if (one.type === 'cancel') {
            wheel.cancel(alarm)
            model.delete(alarm)
            continue
          }
          const step = Math.ceil((time.now + one.afterMs) / WHEEL_STEP_MS)
          wheel.set(alarm, time.now + one.afterMs)
          if (model.get(alarm) === step) continue
          model.delete(alarm)
          model.set(alarm, step)
        }
        expect(names(wheel.alarms())).toBe(isSet())
        // A timer that is armed for nothing would keep the process alive.
        expect(model.size === 0 ? time.armed : 0).toBe(0)
      }
      const wheel = new Wheel<TestAlarm>(time.clock, time.timers, (alarm) => {
        const step = model.get(alarm)
        if (step === undefined) throw new Error(`alarm ${alarm.name} was not set`)
        expect(step * WHEEL_STEP_MS).toBeLessThanOrEqual(time.now)
        expect(time.now).toBeLessThanOrEqual((step + 1) * WHEEL_STEP_MS)
        // Whoever waits for the same step longer rings first.
        const first = [...model].find(([, other]) => other === Math.min(...model.values()))
        expect(first?.[0]).toBe(alarm)
        model.delete(alarm)
        rung.push(alarm.name)
        expect(alarm.step).toBeNull()
        perform(insideRings.shift() ?? [])
      })
      for (const { waitMs, actions } of moments) {
        await time.advance(waitMs)
        perform(actions)
      }
      await time.advance(1_000)
      expect(isSet()).toBe('')
      expect(wheel.alarms()).toEqual([])
    },
  )
  await fc.assert(property, { numRuns: 300 })
})

test('an alarm sees those that are due with it, and may cancel them', async () => {
  const time = createVirtualTime()
  const [one, two, three] = [new TestAlarm(1), new TestAlarm(2), new TestAlarm(3)]
  const seen: string[] = []
  const wheel = new Wheel<TestAlarm>(time.clock, time.timers, (alarm) => {
    seen.push(`${alarm.name}: ${names(wheel.alarms())}`)
    if (alarm === one) wheel.cancel(two)
  })
  for (const alarm of [one, two, three]) wheel.set(alarm, time.now + 10)
  await time.advance(20)
  expect(seen).toEqual(['1: 2 3', '3: '])
})

test('an alarm that is set for the step that rings is not lost when the last one of that step is cancelled', async () => {
  const time = createVirtualTime()
  const [one, two] = [new TestAlarm(1), new TestAlarm(2)]
  const rung: number[] = []
  const wheel = new Wheel<TestAlarm>(time.clock, time.timers, (alarm) => {
    rung.push(alarm.name)
    if (rung.length > 1) return
    wheel.set(alarm, time.now)
    wheel.cancel(two)
  })
  wheel.set(one, time.now + 8)
  wheel.set(two, time.now + 8)
  await time.advance(20)
  expect(rung).toEqual([1, 1])
})

function names(alarms: Iterable<TestAlarm>): string {
  return [...alarms]
    .map(({ name }) => name)
    .toSorted((left, right) => left - right)
    .join(' ')
}
