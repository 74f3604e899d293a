// When a monotonic clock may not be believed: leases and ages rest on it.
import { describe, expect, it } from 'vitest'
import { ClockWatch } from '../src/clock-watch.ts'

function watched(): {
  readonly watch: ClockWatch
  readonly at: { now: number; wall: number }
  readonly pass: (ms: number) => void
} {
  const at = { now: 5_000, wall: 1_000_000 }
  const watch = new ClockWatch({ now: () => at.now, wallMs: () => at.wall })
  watch.ticked()
  const pass = (ms: number): void => {
    at.now += ms
    at.wall += ms
  }
  // A first beat of ordinary life: what was before the start is void.
  pass(50)
  watch.ticked()
  return { watch, at, pass }
}

describe('the clocks of a node', () => {
  it('that run side by side void no lease', () => {
    const { watch, at, pass } = watched()
    const sentAt = at.now
    for (let ticks = 0; ticks < 20; ticks += 1) {
      pass(50)
      watch.ticked()
    }
    expect(watch.leaseVoidedAt()).toBeLessThan(sentAt)
    expect(watch.trustedAge(500)).toBe(500)
  })

  it.each([
    [50, false],
    [51, true],
    [-50, false],
    [-51, true],
  ])(
    'D6: that disagree by %i ms since a heartbeat left: void is %s, at the read and without any timer',
    (by, isVoid) => {
      const { watch, at, pass } = watched()
      const sentAt = at.now
      pass(10)
      at.wall += by
      expect(watch.leaseVoidedAt() >= sentAt).toBe(isVoid)
      expect(watch.trustedAge(10) === null).toBe(isVoid)
    },
  )

  it('D6: that disagree once in each direction have drifted apart by the sum since then', () => {
    const { watch, at, pass } = watched()
    at.wall += 40
    watch.look()
    const sentAt = at.now
    pass(10)
    at.wall -= 60
    expect(watch.leaseVoidedAt()).toBeGreaterThanOrEqual(sentAt)
  })

  it('are believed again for what leaves later', () => {
    const { watch, at, pass } = watched()
    at.wall += 3_600_000
    const voidedAt = watch.leaseVoidedAt()
    pass(1)
    expect(watch.leaseVoidedAt()).toBe(voidedAt)
    expect(at.now).toBeGreaterThan(voidedAt)
    expect(watch.trustedAge(0.5)).toBe(0.5)
    expect(watch.trustedAge(1)).toBeNull()
  })
})

describe('a stall', () => {
  it('D6: voids what left before its end, also for a read that is handled before the timer', () => {
    const { watch, at, pass } = watched()
    const sentAt = at.now
    pass(100)
    expect(watch.leaseVoidedAt()).toBeLessThan(sentAt)
    pass(1)
    expect(watch.leaseVoidedAt()).toBe(at.now)
    watch.ticked()
    pass(40)
    expect(watch.leaseVoidedAt()).toBe(at.now - 40)
  })

  it('takes nothing from an age: the clock that measures it went on', () => {
    const { watch, pass } = watched()
    pass(5_000)
    expect(watch.trustedAge(5_000)).toBe(5_000)
  })
})
