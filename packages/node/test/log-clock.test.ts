import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { agreedWallMs, LogClock } from '../src/log-clock.ts'

describe('the log clock', () => {
  it('starts at the stamp of the last entry in the log and flows with monotonic time', () => {
    const clock = new LogClock()
    clock.begin(1_000, 50)
    expect(clock.stamp(50, null)).toBe(1_000)
    expect(clock.stamp(80, null)).toBe(1_030)
  })

  it('is pulled up by an agreed clock that is ahead', () => {
    const clock = new LogClock()
    clock.begin(1_000, 0)
    expect(clock.read(10, 5_000)).toBe(5_000)
    expect(clock.read(20, 5_005)).toBe(5_010)
  })

  it('is held at the agreed clock plus the tolerated skew when it runs ahead', () => {
    const clock = new LogClock()
    clock.begin(1_000, 0)
    clock.read(0, 10_000)
    // The agreed clock fell back far: without an entry stamped beyond it, L stops where it was (never back).
    expect(clock.read(100, 2_000)).toBe(10_000)
    expect(clock.read(200, 2_100)).toBe(10_000)
  })

  it('flows on at its own rate when the last stamp is already beyond the agreed clock', () => {
    const clock = new LogClock()
    clock.begin(3_600_000, 0)
    expect(clock.stamp(0, 1_000)).toBe(3_600_000)
    expect(clock.stamp(1_000, 2_000)).toBe(3_601_000)
  })

  it('never goes back, and a stamp is never below an earlier stamp, whatever the agreed clocks do', () => {
    const step = fc.record({
      elapsed: fc.integer({ min: 0, max: 5_000 }),
      agreed: fc.option(fc.integer({ min: 0, max: 10_000_000 })),
      stamp: fc.boolean(),
    })
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 1_000_000 }),
        fc.array(step, { maxLength: 50 }),
        (last, steps) => {
          const clock = new LogClock()
          clock.begin(last, 0)
          let now = 0
          let before = last
          for (const { elapsed, agreed, stamp } of steps) {
            now += elapsed
            const time = stamp ? clock.stamp(now, agreed) : clock.read(now, agreed)
            expect(time).toBeGreaterThanOrEqual(before)
            expect(Number.isSafeInteger(time)).toBe(true)
            before = time
          }
        },
      ),
    )
  })
})

describe('the agreed wall clock', () => {
  const at = (wallMs: number, heardAt = 0): { wallMs: number; heardAt: number } => ({ wallMs, heardAt })

  it('is the lower median of a majority, carried forward', () => {
    expect(agreedWallMs([at(100), at(3_600_000), at(200)], 0)).toBe(200)
    expect(agreedWallMs([at(100), at(3_600_000), null], 0)).toBe(100)
    expect(agreedWallMs([at(100, 0), at(150, 50), at(90, 0)], 100)).toBe(200)
  })

  it('is unknown without a majority heard within the longest election timeout', () => {
    expect(agreedWallMs([at(100), null, null], 0)).toBeNull()
    expect(agreedWallMs([at(100, 1_000), at(100, 0), null], 1_000)).toBeNull()
  })

  it('is the own clock in a cluster of one', () => {
    expect(agreedWallMs([at(77)], 0)).toBe(77)
  })
})
