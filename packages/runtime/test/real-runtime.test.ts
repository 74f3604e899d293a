import { expect, test } from 'vitest'
import { createRealClock } from '../src/real/clock.ts'
import { createRealRandom } from '../src/real/random.ts'
import { createRealTimers } from '../src/real/timers.ts'

const timers = createRealTimers()

test('the monotonic clock never goes back and the wall clock tells the time of day', () => {
  const clock = createRealClock()
  let last = clock.monotonicMs()
  for (let reading = 0; reading < 1000; reading += 1) {
    const now = clock.monotonicMs()
    expect(now).toBeGreaterThanOrEqual(last)
    last = now
  }
  expect(Math.abs(clock.wallMs() - Date.now())).toBeLessThan(1000)
})

test('a timer never fires before its delay has passed', async () => {
  const early: number[] = []
  await Promise.all(
    Array.from({ length: 60 }, async (_, index) => {
      const delay = index / 4
      const start = performance.now()
      await new Promise<void>((resolve) => timers.after(delay, resolve))
      if (performance.now() - start < delay) early.push(delay)
    }),
  )
  expect(early).toEqual([])
})

test('a cancelled timer does not fire and cancelling twice or after firing is harmless', async () => {
  let fired = 0
  const cancelled = timers.after(1, () => (fired += 100))
  cancelled.cancel()
  cancelled.cancel()
  const ran = await new Promise<{ cancel(): void }>((resolve) => {
    const timer = timers.after(5, () => {
      fired += 1
      resolve(timer)
    })
  })
  ran.cancel()
  expect(fired).toBe(1)
})

test('a delay beyond what Node can arm at once does not fire at once', async () => {
  let fired = false
  const timer = timers.after(2 ** 40, () => (fired = true))
  await new Promise<void>((resolve) => timers.after(5, resolve))
  timer.cancel()
  expect(fired).toBe(false)
})

test('the end of the turn comes after the promises of the turn', async () => {
  const order: string[] = []
  await new Promise<void>((resolve) => {
    timers.endOfTurn(() => {
      order.push('end of turn')
      resolve()
    })
    void Promise.resolve().then(() => order.push('promise'))
  })
  expect(order).toEqual(['promise', 'end of turn'])
})

test('real chance stays in [0, 1) and gives as many bytes as asked for', () => {
  const random = createRealRandom()
  for (let draw = 0; draw < 1000; draw += 1) {
    const value = random.next()
    expect(value >= 0 && value < 1).toBe(true)
  }
  expect(random.bytes(16)).toHaveLength(16)
  expect(random.bytes(16)).not.toEqual(random.bytes(16))
})
