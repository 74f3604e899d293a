import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { shrinkFaults } from '../src/sim-command/shrink.ts'

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
