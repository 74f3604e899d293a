// What a benchmark prints when it is done.
import { type Measurement, type ServerFigures, type SystemName, type Work, median } from '../measurement.ts'
import { type Results, type Size, pairedRatio } from './results.ts'
import { formatNumber, formatTable } from './table.ts'
import { judge, targets } from './targets.ts'

/** Rates, latencies and ratios: one row per line and system. */
export function throughputTable(
  results: Results,
  works: readonly Work[],
  systems: readonly SystemName[],
): string {
  const rows = works.flatMap((work) =>
    systems.flatMap((system) => {
      const runs = results.of(system, work)
      if (runs.length === 0) return []
      const quorate = results.of('quorate', work)
      const ratio = system === 'quorate' ? null : pairedRatio(quorate, runs, ({ perSecond }) => perSecond)
      const name = system === 'ceiling' && work.kind === 'read' ? 'ceiling, unconfirmed' : system
      const cpu = median(runs.map(({ serverCpuUs }) => serverCpuUs ?? Number.NaN))
      const figures = [...speed(runs), formatNumber(ratio), formatNumber(cpu)]
      return [[nameOf(work), name, ...figures, leaders(runs), failures(runs)]]
    }),
  )
  const header = ['line', 'system', '/s', 'p50 ms', 'p99 ms', 'max ms', 'quorate is x', 'CPU us/op']
  return formatTable([...header, 'leaders', 'failed'], rows)
}

/** The same line at several sizes of Quorate, each against the first. */
export function sizeTable(results: Results, work: Work, sizes: readonly Required<Size>[]): string {
  const [smallest] = sizes
  const base = smallest === undefined ? [] : results.of('quorate', work, smallest)
  const rows = sizes.map((size) => {
    const runs = results.of('quorate', work, size)
    const ratio = pairedRatio(runs, base, ({ perSecond }) => perSecond)
    const resident = inside(runs, ({ residentMiB }) => Math.max(...residentMiB))
    return [
      `${formatNumber(size.shards)} shards, ${formatNumber(size.keys)} keys`,
      ...speed(runs),
      formatNumber(ratio),
      leaders(runs),
      resident,
    ]
  })
  return formatTable(
    [nameOf(work), '/s', 'p50 ms', 'p99 ms', 'max ms', 'against the first', 'leaders', 'MiB'],
    rows,
  )
}

/** From inside Quorate's servers. */
export function serverTable(results: Results, works: readonly Work[]): string {
  const rows = works.flatMap((work) => {
    const runs = results.of('quorate', work)
    if (runs.length === 0) return []
    const figure = (read: (figures: ServerFigures) => number | null): string => inside(runs, read)
    return [
      [
        nameOf(work),
        figure(({ operationsPerSync }) => operationsPerSync),
        figure(({ operationsPerEntry }) => operationsPerEntry),
        figure(({ entriesPerAppend }) => entriesPerAppend),
        figure(({ logBytesPerUserByte }) => logBytesPerUserByte),
        figure(({ diskBytesPerUserByte }) => diskBytesPerUserByte),
        figure(({ eventLoopUtilization }) => Math.max(...eventLoopUtilization)),
        figure(({ cpu }) => Math.max(...cpu)),
        figure(({ clientLoopUtilization }) => clientLoopUtilization),
        figure(({ clientCpuUs }) => clientCpuUs),
        figure(({ gcShare }) => 100 * Math.max(...gcShare)),
        figure(({ gcMaxMs }) => gcMaxMs),
        figure(({ residentMiB }) => Math.max(...residentMiB)),
      ],
    ]
  })
  const header = ['ops/sync', 'ops/entry', 'entries/append', 'log B/B', 'disk B/B', 'loop', 'CPU']
  const more = ['client loop', 'client us/op', 'GC %', 'GC max ms', 'MiB']
  return formatTable(['quorate, busiest server', ...header, ...more], rows)
}

export function targetTable(results: Results): string {
  const rows = targets.map((target) => {
    const goals = [target.first, target.later].flatMap((goal) => [
      `${target.better === 'higher' ? '>=' : '<='} ${goal.bound}`,
      formatNumber(goal.figure(results)),
      judge(target, goal, results),
    ])
    return [target.what, target.unit, ...goals]
  })
  return formatTable(['target', 'unit', 'first', 'is', '', 'then', 'is', ''], rows)
}

export function nameOf({ kind, outstanding }: Work): string {
  return `${kind}s, ${formatNumber(outstanding)} outstanding`
}

function speed(runs: readonly Measurement[]): string[] {
  return [
    formatNumber(median(runs.map(({ perSecond }) => perSecond))),
    formatNumber(median(runs.map(({ p50Ms }) => p50Ms))),
    formatNumber(median(runs.map(({ p99Ms }) => p99Ms))),
    formatNumber(Math.max(...runs.map(({ maxMs }) => maxMs))),
  ]
}

function inside(runs: readonly Measurement[], read: (figures: ServerFigures) => number | null): string {
  const figures = runs.flatMap(({ servers }) => (servers === null ? [] : (read(servers) ?? [])))
  return formatNumber(median(figures))
}

/** Of the last run: elections between two runs would show as a difference in the JSON. */
function leaders(runs: readonly Measurement[]): string {
  return (runs.at(-1)?.leaders ?? []).join('/')
}

function failures(runs: readonly Measurement[]): string {
  return String(runs.reduce((total, { failed }) => total + failed, 0))
}
