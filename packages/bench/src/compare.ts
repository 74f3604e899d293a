// Quorate beside its rulers: the same line on each system in turn, so that what else the machine does falls on all of them.
import path from 'node:path'
import type { BenchOptions } from './arguments.ts'
import { startCeiling } from './ceiling/ceiling.ts'
import { startEtcd } from './etcd/etcd.ts'
import { etcdObstacle } from './etcd/install.ts'
import { measureGaps } from './gap/measure-gaps.ts'
import type { SystemName } from './measurement.ts'
import { type QuorateSystem, startQuorate } from './quorate/quorate.ts'
import { nameOf, serverTable, throughputTable } from './report/report.ts'
import type { Results } from './report/results.ts'
import { printLine, progress } from './report/print.ts'
import { runSystem } from './run-system.ts'
import type { LoadSettings, System } from './system.ts'

export async function compare(options: BenchOptions, directory: string, results: Results): Promise<void> {
  const { systems, quorate } = await startAll(options, directory)
  try {
    for (const work of options.works)
      for (let run = 1; run <= options.runs; run++)
        for (const system of systems) {
          const measured = await runSystem(system, work, run, loadSettings(options, options.keys))
          results.addLoad(measured)
          progress(`${nameOf(work)}, run ${run}: ${system.name} ${measured.perSecond}/s`)
        }
    if (quorate !== null)
      await measureGaps(quorate.cluster, options.kills, options.keys, (gap) => {
        results.addScalar(gap)
        progress(`kill ${gap.run}: gaps ${JSON.stringify(gap['gapsMs'])} ms`)
      })
  } finally {
    await Promise.all(systems.map((system) => system.stop()))
  }
  printLine(throughputTable(results, options.works, options.systems))
  if (quorate !== null) printLine(`\n${serverTable(results, options.works)}`)
}

export function loadSettings(options: BenchOptions, keys: number): LoadSettings {
  const { valueBytes, warmMs, measuredMs, seed } = options
  return { keys, valueBytes, warmMs, measuredMs, seed }
}

async function startAll(
  options: BenchOptions,
  directory: string,
): Promise<{ systems: System[]; quorate: QuorateSystem | null }> {
  const load = loadSettings(options, options.keys)
  const systems: System[] = []
  let quorate: QuorateSystem | null = null
  const wanted = (name: SystemName): boolean => options.systems.includes(name)
  if (wanted('quorate')) {
    quorate = await startQuorate({
      directory: path.join(directory, 'quorate'),
      shards: options.shards,
      load,
      profile: options.profile,
    })
    systems.push(quorate)
  }
  if (wanted('ceiling')) systems.push(await startCeiling(path.join(directory, 'ceiling'), load))
  if (wanted('etcd')) {
    const obstacle = etcdObstacle(options.install)
    if (obstacle === null) systems.push(await startEtcd(path.join(directory, 'etcd'), load))
    else progress(`\nNO COMPARISON WITH ETCD: ${obstacle}\n`)
  }
  for (const { name, version } of systems) progress(`${name} ${version} is ready`)
  return { systems, quorate }
}
