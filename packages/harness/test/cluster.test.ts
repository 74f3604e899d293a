// Clients and a whole cluster in this process, under virtual time, against a sequential model. A failure prints seed, path and
// `replayPath`: put all three into `replay` to run just that case again.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { checkWitness } from '../src/check/witness.ts'
import type { Outcome } from '../src/workload/worker.ts'
import { Cluster, clusterCommands, heal, KEYS } from './cluster-commands.ts'
import { type Answered, ClusterModel } from './cluster-model.ts'

const replay: { readonly seed?: number; readonly path?: string; readonly replayPath?: string } = {}
/** The start of a cluster takes longer than many commands. */
const RUNS = 4
const COMMANDS_MAX = 40
/** On a busy machine a failure is rather told than made as short as can be. */
const TIME_LIMIT_MS = 45_000

describe('a client of a cluster that crashes and is cut apart', () => {
  it('sees what a single copy would show, in some order of what ran at the same time', async () => {
    const { replayPath, ...parameters } = replay
    const commands = fc.commands(clusterCommands, {
      maxCommands: COMMANDS_MAX,
      size: 'max',
      ...(replayPath === undefined ? {} : { replayPath }),
    })
    await fc.assert(
      fc.asyncProperty(fc.nat(1_000_000), commands, async (seed, chosen) => {
        const cluster = new Cluster(seed)
        const model = new ClusterModel()
        await cluster.start()
        await fc.asyncModelRun(() => ({ model, real: cluster }), chosen)
        heal(cluster)
        await cluster.untilServed()
        for (const key of KEYS) model.answered(await cluster.execute([{ client: 0, key, f: 'get' }]))
        expect(cluster.world.violations).toEqual([])
        expect(checkWitness(cluster.history)).toEqual([])
      }),
      { numRuns: RUNS, interruptAfterTimeLimit: TIME_LIMIT_MS, ...parameters },
    )
  })
})

describe('the model', () => {
  const nothing = { value: null, version: null }
  const ok = (changed: Partial<Outcome>): Outcome => ({
    type: 'ok',
    applied: false,
    seen: null,
    position: null,
    shard: 1,
    error: null,
    ...changed,
  })
  const set = (argument: string, outcome: Partial<Outcome> = {}): Answered => ({
    planned: { f: 'set', key: 'k', argument, expectedVersion: null },
    outcome: ok({ applied: true, seen: { value: argument, version: 1 }, ...outcome }),
  })
  const get = (value: string | null, version = 1): Answered => ({
    planned: { f: 'get', key: 'k', argument: null, expectedVersion: null },
    outcome: ok({ seen: value === null ? nothing : { value, version } }),
  })
  const explained = (...steps: readonly (readonly Answered[])[]) => {
    const model = new ClusterModel()
    for (const step of steps) model.answered(step)
  }
  const lost = { type: 'info', applied: false, seen: null } as const

  it('takes any order of what ran at the same time, and no other', () => {
    explained([set('a'), get(null)], [get('a')])
    explained([get('a'), set('a')], [get('a')])
    expect(() => explained([set('a')], [get(null)])).toThrow('no order explains')
    expect(() => explained([set('a')], [get('a', 2)])).toThrow('no order explains')
  })

  it('lets an operation of unknown outcome happen late, once, or never; one that failed never', () => {
    explained([set('a')], [set('b', lost)], [get('a')], [get('b', 2)])
    explained([set('a')], [set('b', lost)], [get('a')], [get('a')])
    expect(() => explained([set('a')], [set('b', lost)], [get('b', 2)], [get('a')])).toThrow(
      'no order explains',
    )
    expect(() => explained([set('a')], [set('b', { ...lost, type: 'fail' })], [get('b')])).toThrow(
      'no order explains',
    )
  })
})
