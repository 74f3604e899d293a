// `--scale`: what more shards, more keys, idle shards and a restart cost. One cluster at a time, each size in turn.
import path from 'node:path'
import type { BenchOptions } from '../arguments.ts'
import { loadSettings } from '../compare.ts'
import type { Work } from '../measurement.ts'
import { startQuorate } from '../quorate/quorate.ts'
import { printLine, progress } from '../report/print.ts'
import { nameOf, sizeTable } from '../report/report.ts'
import type { Results, Size } from '../report/results.ts'
import { runSystem } from '../run-system.ts'
import { measureIdle } from './idle.ts'
import { measureRestart } from './restart.ts'

/** Where the cost of a turn shows, and where that of an operation does. */
const works: readonly Work[] = [
  { kind: 'write', outstanding: 256 },
  { kind: 'write', outstanding: 1_024 },
  { kind: 'read', outstanding: 256 },
]

export async function scale(options: BenchOptions, directory: string, results: Results): Promise<void> {
  const { shards, keys } = options
  const byShards = options.scaleShards.map((count) => ({ shards: count, keys }))
  const byKeys = options.scaleKeys.map((count) => ({ shards, keys: count }))
  for (let run = 1; run <= options.runs; run++)
    for (const size of distinct([...byShards, ...byKeys])) {
      // Ten million keys take minutes to write: once must do.
      if (run > 1 && size.keys > KEYS_REPEATED_MAX) continue
      await measureSize(
        options,
        path.join(directory, `${size.shards}-${size.keys}-${run}`),
        size,
        run,
        results,
      )
    }
  // One size alone is compared with nothing.
  for (const work of works) {
    if (byShards.length > 1) printLine(`${sizeTable(results, work, byShards)}\n`)
    if (byKeys.length > 1) printLine(`${sizeTable(results, work, byKeys)}\n`)
  }
  if (options.idleShards > 0) await measureIdle(options, path.join(directory, 'idle'), results)
  if (options.restartKeys > 0) await measureRestart(options, path.join(directory, 'restart'), results)
}

const KEYS_REPEATED_MAX = 1_000_000

async function measureSize(
  options: BenchOptions,
  directory: string,
  { shards, keys }: Required<Size>,
  run: number,
  results: Results,
): Promise<void> {
  const load = loadSettings(options, keys)
  const system = await startQuorate({ directory, shards, load })
  try {
    for (const work of works) {
      const measured = await runSystem(system, work, run, load)
      results.addLoad(measured)
      progress(`${shards} shards, ${keys} keys, ${nameOf(work)}, run ${run}: ${measured.perSecond}/s`)
    }
  } finally {
    await system.stop()
  }
}

function distinct(sizes: readonly Required<Size>[]): Required<Size>[] {
  return [...new Map(sizes.map((size) => [`${size.shards} ${size.keys}`, size])).values()]
}
