// Crashes at every write and sync boundary, with and without power loss, in the workload and in the recovery after it.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { LogRecord } from '../../src/log/record.ts'
import { foundIn, modelAfter } from './model.ts'
import { created, entries, logOf, Rig, type RigOptions, settle } from './rig.ts'
import { Driver, type Operation, operations } from './workload.ts'

/** Each is one to four boots. */
const RANDOM_RUNS = 50

const SCRIPT: readonly Operation[] = [
  { kind: 'append', group: 1, count: 2, back: 0, bytes: 10 },
  { kind: 'vote', group: 1, vote: 2 },
  { kind: 'flush' },
  { kind: 'append', group: 2, count: 3, back: 0, bytes: 9000 },
  { kind: 'flush' },
  { kind: 'settle' },
  { kind: 'vote', group: 2, vote: 1 },
  { kind: 'append', group: 2, count: 3, back: 2, bytes: 9000 },
  { kind: 'idle' },
  { kind: 'compact', group: 2 },
  { kind: 'append', group: 2, count: 4, back: 0, bytes: 9000 },
  { kind: 'idle' },
  { kind: 'append', group: 3, count: 1, back: 0, bytes: 10 },
  { kind: 'reset', group: 3, ahead: 4 },
  { kind: 'flush' },
  { kind: 'append', group: 3, count: 2, back: 0, bytes: 30_000 },
  { kind: 'idle' },
  { kind: 'compact', group: 2 },
  { kind: 'replace', group: 1 },
  { kind: 'append', group: 1, count: 1, back: 0, bytes: 10 },
  { kind: 'vote', group: 1, vote: 1 },
  { kind: 'idle' },
  { kind: 'append', group: 2, count: 3, back: 0, bytes: 20_000 },
  { kind: 'flush' },
]

interface CrashPoint {
  /** Number of the boundary; beyond the last one the crash comes when the work is done. */
  readonly at: number
  readonly powerLoss: boolean
}

interface Boot {
  readonly list: readonly Operation[]
  readonly crash: CrashPoint
  /** Recoveries behind it that are themselves cut off. */
  readonly cutRecoveries: readonly CrashPoint[]
}

/** Resolves with what `run` did, or with null as soon as the disk was crashed. */
async function untilCrash<Result>(
  rig: Rig,
  crash: CrashPoint,
  run: () => Promise<Result>,
): Promise<{ result: Result | null; boundaries: number }> {
  let boundaries = 0
  let report: (() => void) | null = null
  const crashed = new Promise<null>((resolve) => {
    report = () => resolve(null)
  })
  rig.world.onBoundary = () => {
    boundaries += 1
    if (boundaries !== crash.at) return
    rig.world.onBoundary = null
    rig.world.crash(crash)
    report?.()
  }
  const result = await Promise.race([run().catch(() => crashed), crashed])
  rig.world.onBoundary = null
  if (boundaries < crash.at) rig.world.crash(crash)
  return { result, boundaries }
}

/** One boot and its end; returns what it appended behind `earlier` and how much of all was acknowledged. */
async function runBoot(rig: Rig, { list, crash }: Boot, earlier: readonly LogRecord[]) {
  const drivers: Driver[] = []
  const { boundaries } = await untilCrash(rig, crash, async () => {
    const storage = await rig.open()
    const driver = new Driver(rig, storage, earlier)
    drivers.push(driver)
    await driver.run(list)
    await settle()
    return 0
  })
  const [driver] = drivers
  const records = driver?.records ?? earlier
  return { records, acknowledged: driver?.acknowledged ?? earlier.length, boundaries }
}

/**
 * Recovers and checks that the log is what the first n records make, n at least the number acknowledged. Returns these.
 */
async function checkRecovery(
  rig: Rig,
  records: readonly LogRecord[],
  acknowledged: number,
  cutRecoveries: readonly CrashPoint[],
): Promise<readonly LogRecord[]> {
  for (const crash of cutRecoveries) await untilCrash(rig, crash, () => rig.open())
  const storage = await rig.open()
  expect(storage.damage).toBeNull()
  const found = foundIn(storage)
  let kept = records.length
  const isPrefix = (): boolean => JSON.stringify(modelAfter(records.slice(0, kept))) === JSON.stringify(found)
  while (kept >= acknowledged && !isPrefix()) kept -= 1
  // Where no prefix fits, this shows what was acknowledged beside what was found.
  expect(found).toEqual(modelAfter(records.slice(0, Math.max(kept, acknowledged))))
  // The page-cache trap: what a boot has read and told is there after a power loss too.
  rig.world.crash({ powerLoss: true })
  expect(foundIn(await rig.open())).toEqual(found)
  rig.world.crash({ powerLoss: true })
  return records.slice(0, kept)
}

test('A1, A2, C5, G1, G6: after a crash at every write and sync boundary of a script the log is a prefix with all that was acknowledged', async () => {
  const never = { at: Number.MAX_SAFE_INTEGER, powerLoss: false }
  const { boundaries } = await runBoot(new Rig(), { list: SCRIPT, crash: never, cutRecoveries: [] }, [])
  expect(boundaries).toBeGreaterThan(60)
  for (let at = 1; at <= boundaries; at += 1) {
    for (const powerLoss of [false, true]) {
      const cutRecoveries = at % 3 === 0 ? [] : [{ at: 1 + (at % 14), powerLoss: at % 2 === 0 }]
      const rig = new Rig({ seed: at })
      const boot: Boot = { list: SCRIPT, crash: { at, powerLoss }, cutRecoveries }
      const { records, acknowledged } = await runBoot(rig, boot, [])
      await checkRecovery(rig, records, acknowledged, cutRecoveries)
    }
  }
}, 60_000)

test('A4, C5, G7: crashes while segments are deleted and a quiet group is written again lose nothing', async () => {
  const quiet: readonly Operation[] = [
    { kind: 'append', group: 1, count: 4, back: 0, bytes: 100 },
    { kind: 'idle' },
    { kind: 'vote', group: 1, vote: 2 },
    { kind: 'append', group: 1, count: 2, back: 0, bytes: 100 },
    { kind: 'idle' },
  ]
  const busy: readonly Operation[] = [
    { kind: 'append', group: 2, count: 2, back: 0, bytes: 12_000 },
    { kind: 'flush' },
    { kind: 'settle' },
    { kind: 'compact', group: 2 },
  ]
  const list = [...quiet, ...Array.from({ length: 26 }, () => busy).flat()]
  const never = { at: Number.MAX_SAFE_INTEGER, powerLoss: false }
  const whole = new Rig({ retainBytes: 1 })
  const { boundaries } = await runBoot(whole, { list, crash: never, cutRecoveries: [] }, [])
  expect(whole.segments().length).toBeLessThan(7)
  for (let at = 40; at <= boundaries; at += 2) {
    const rig = new Rig({ seed: at, retainBytes: 1 })
    const crash = { at, powerLoss: at % 4 === 0 }
    const { records, acknowledged } = await runBoot(rig, { list, crash, cutRecoveries: [] }, [])
    await checkRecovery(
      rig,
      records,
      acknowledged,
      at % 3 === 0 ? [{ at: 1 + (at % 16), powerLoss: true }] : [],
    )
  }
}, 60_000)

test('A1, A2, C5, G1, G6: random workloads over several boots, crashed anywhere, and again in recovery', async () => {
  const crash = (boundaries: number): fc.Arbitrary<CrashPoint> =>
    fc.record({ at: fc.integer({ min: 1, max: boundaries }), powerLoss: fc.boolean() })
  const boot: fc.Arbitrary<Boot> = fc.record({
    list: operations,
    crash: crash(120),
    cutRecoveries: fc.array(crash(16), { maxLength: 2 }),
  })
  const options: fc.Arbitrary<RigOptions> = fc.record({
    seed: fc.integer({ min: 1, max: 1_000_000 }),
    retainBytes: fc.constantFrom(1, 64 * 1024, 256 * 1024),
  })
  await fc.assert(
    fc.asyncProperty(options, fc.array(boot, { minLength: 1, maxLength: 4 }), async (rigOptions, boots) => {
      const rig = new Rig(rigOptions)
      let records: readonly LogRecord[] = []
      for (const next of boots) {
        const ran = await runBoot(rig, next, records)
        records = await checkRecovery(rig, ran.records, ran.acknowledged, next.cutRecoveries)
      }
    }),
    { numRuns: RANDOM_RUNS },
  )
}, 60_000)

test('A2: what was acknowledged outlives a power loss although a record behind it in the queue had dropped it already', async () => {
  const MEBIBYTE = 1024 * 1024
  for (let seed = 1; seed <= 12; seed += 1) {
    const rig = new Rig({ seed, segmentBytes: 8 * MEBIBYTE })
    const storage = await rig.open()
    await settle()
    storage.log.append(created(1))
    storage.log.flush()
    // The sync is in flight. The first record fits into the segment, the second opens the next one.
    storage.log.append(entries(1, 1, 2, 1, 1.5 * MEBIBYTE))
    storage.log.append(entries(1, 1, 1, 2, 2 * MEBIBYTE))
    storage.log.flush()
    const acknowledged = await new Promise<number>((resolve) => {
      rig.world.onBoundary = (operation, path) => {
        if (operation !== 'sync' || !path.endsWith('2.seg') || rig.syncedTicket < 2) return
        rig.world.onBoundary = null
        const ticket = rig.syncedTicket
        rig.world.crash({ powerLoss: true })
        resolve(ticket)
      }
    })
    expect(acknowledged).toBe(2)
    expect([['1/1', '2/1'], ['1/2']]).toContainEqual(logOf(await rig.open(), 1))
  }
}, 60_000)
