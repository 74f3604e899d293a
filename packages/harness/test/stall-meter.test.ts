import { describe, expect, it } from 'vitest'
import { StallMeter, summariseStalls } from '../src/process/stall-meter.ts'

function start() {
  let nowMs = 0
  const meter = new StallMeter(() => nowMs)
  return { meter, at: (ms: number) => void (nowMs = ms) }
}

describe('the stall meter', () => {
  it('measures from the first pending operation to the first completed one', () => {
    const { meter, at } = start()
    at(10)
    meter.begin(1)
    at(40)
    meter.begin(1)
    at(100)
    meter.end(1, true)
    expect(meter.take()).toEqual([90])
  })

  it('takes a failure for no progress while others wait', () => {
    const { meter, at } = start()
    meter.begin(1)
    meter.begin(1)
    at(50)
    meter.end(1, false)
    at(80)
    meter.end(1, true)
    expect(meter.take()).toEqual([80])
  })

  it('does not count time in which nothing was pending', () => {
    const { meter, at } = start()
    meter.begin(1)
    at(5)
    meter.end(1, true)
    at(1_000)
    meter.begin(1)
    at(1_010)
    meter.end(1, true)
    expect(meter.take()).toEqual([10])
  })

  it('keeps shards apart and counts a stall that still lasts', () => {
    const { meter, at } = start()
    meter.begin(1)
    meter.begin(2)
    at(20)
    meter.end(1, true)
    at(70)
    expect(meter.take()).toEqual([20, 70])
  })
})

it('a summary of stalls has their median, 95th percentile and maximum', () => {
  const stalls = Array.from({ length: 100 }, (_, index) => index + 1)
  expect(summariseStalls(stalls)).toEqual({ count: 100, medianMs: 51, p95Ms: 96, maxMs: 100 })
})
