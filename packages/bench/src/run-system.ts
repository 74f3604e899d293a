// One run of one line on one system, with what can be seen of it from outside.
import { cpuMsOfAll, foreignCpu } from './machine.ts'
import type { Measurement, Work } from './measurement.ts'
import type { LoadSettings, System } from './system.ts'

export async function runSystem(
  system: System,
  work: Work,
  run: number,
  { warmMs, measuredMs }: LoadSettings,
): Promise<Measurement> {
  const foreign = await foreignCpu()
  const before = cpuMsOfAll(system.serverPids())
  const measured = await system.measure(work, run)
  const after = cpuMsOfAll(system.serverPids())
  // The warm-up works as fast as what is measured, and its CPU time is in the difference.
  const operations = (measured.perSecond * (warmMs + measuredMs)) / 1_000
  const serverCpuUs = before === null || after === null ? null : ((after - before) * 1_000) / operations
  return { ...measured, foreignCpu: foreign, serverCpuUs }
}
