// The machine that figures are from, and what else it does.
import { readFileSync } from 'node:fs'
import { arch, availableParallelism, platform } from 'node:os'
import process from 'node:process'
import { setTimeout as sleep } from 'node:timers/promises'

const WATCHED_MS = 300

export interface Machine {
  readonly cpus: number
  readonly node: string
  readonly platform: string
}

export function describeMachine(): Machine {
  return { cpus: availableParallelism(), node: process.version, platform: `${platform()} ${arch()}` }
}

/** Share of all CPUs in use during a third of a second, 0 to 1; null where there is no /proc. */
export async function foreignCpu(): Promise<number | null> {
  const before = readTimes()
  await sleep(WATCHED_MS)
  const after = readTimes()
  if (before === null || after === null) return null
  return (after.busy - before.busy) / Math.max(1, after.all - before.all)
}

/** Of all these processes since their starts. */
export function cpuMsOfAll(pids: readonly number[]): number | null {
  const times = pids.map(cpuMsOf)
  return times.includes(null) ? null : times.reduce<number>((total, time) => total + (time ?? 0), 0)
}

/** CPU time of a process since its start, ms; null where there is no /proc. */
export function cpuMsOf(pid: number): number | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The second field is a name in brackets that may hold anything.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return (Number(fields[USER_TIME]) + Number(fields[KERNEL_TIME])) * MS_PER_TICK
  } catch {
    return null
  }
}

/** proc(5), counted from the third field: utime and stime, in ticks of 1/100 s on every Linux that Node runs on. */
const USER_TIME = 11
const KERNEL_TIME = 12
const MS_PER_TICK = 10

/** proc(5): user, nice, system, idle, iowait, irq, softirq, steal. */
function readTimes(): { busy: number; all: number } | null {
  try {
    const [line = ''] = readFileSync('/proc/stat', 'utf8').split('\n')
    const times = line.split(/\s+/).slice(1, 9).map(Number)
    const all = times.reduce((total, time) => total + time, 0)
    const [, , , idle = 0, waiting = 0] = times
    return { busy: all - idle - waiting, all }
  } catch {
    return null
  }
}
