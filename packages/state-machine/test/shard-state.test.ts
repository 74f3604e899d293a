// Properties of the whole state machine against the naive model.
import type { Command } from '@quorate/protocol'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Run } from './support/run-scenario.ts'
import { commandsEntry, GROUP, Replica } from './support/replica.ts'
import { allKeys, allSteps, clientSteps, foundSome, strangeKey } from './support/scenario.ts'

/** Of one, so that nearly every sweep asks the store, to one that holds everything. */
const windows = fc.constantFrom(1, 2, 5, 1_000)
const hotSizes = fc.constantFrom(0, 100, 400, 1_000_000)

describe('a shard', () => {
  test('answers every command and read as the model of the rules does', () => {
    fc.assert(
      fc.property(clientSteps, hotSizes, windows, (steps, hotBytesMax, window) => {
        const run = new Run(hotBytesMax, window)
        for (const step of steps) run.step(step)
        run.finish([...allKeys, strangeKey])
      }),
      { numRuns: 100 },
    )
  })

  test('C11 E7 E8 rule 27: checkpoints, restarts, duplicates and delayed reads in any order change no answer and no state', () => {
    fc.assert(
      fc.property(allSteps, hotSizes, windows, (steps, hotBytesMax, window) => {
        const run = new Run(hotBytesMax, window)
        for (const step of steps) run.step(step)
        run.finish([...allKeys, strangeKey])
      }),
      { numRuns: 150 },
    )
  })

  test('has the same hash as another exactly if it is in the same state', () => {
    const hashes = new Map<string, string>()
    const canonicals = new Map<string, string>()
    fc.assert(
      fc.property(allSteps, hotSizes, windows, (steps, hotBytesMax, window) => {
        const run = new Run(hotBytesMax, window)
        for (const step of steps) run.step(step)
        for (const { canonical, hash } of run.states) {
          expect(hashes.get(canonical) ?? hash).toBe(hash)
          expect(canonicals.get(hash) ?? canonical).toBe(canonical)
          hashes.set(canonical, hash)
          canonicals.set(hash, canonical)
        }
      }),
      { numRuns: 60 },
    )
    expect(hashes.size).toBeGreaterThan(400)
  })

  test('has another hash where the same entries have other versions', () => {
    const hashes = [
      [0, 1],
      [1, 0],
    ].map((order) => {
      const replica = new Replica(0)
      replica.append(commandsEntry(1_000, foundSome(4)))
      replica.append(commandsEntry(1_000, { kind: 'openSession', group: GROUP, notAfter: 9e9 }))
      const commands = order.map((which, at): Command => {
        const key = allKeys[which] ?? strangeKey
        return { op: 'incr', sequence: at + 1, notAfter: 9e9, key, by: 1 }
      })
      const session = { group: GROUP, version: 1 }
      replica.append(
        commandsEntry(1_000, { kind: 'commands', group: GROUP, session, ackedUpTo: 0, commands }),
      )
      // The answers, which differ too, are forgotten: only the entries are left to tell.
      replica.append(commandsEntry(1_000, { kind: 'closeSession', group: GROUP, session }))
      return replica.state.stateHash()
    })
    expect(new Set(hashes).size).toBe(2)
  })
})
