// A CPU profile in two lists: where time was spent, and on whose behalf.
import { readFileSync, readdirSync } from 'node:fs'
import path from 'node:path'
import { formatTable } from '../report/table.ts'
import { PROFILE_ENDING } from './recorder.ts'

/** The part of V8's format (.cpuprofile) that is read here. */
interface Profile {
  readonly nodes: readonly {
    readonly id: number
    readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number }
    readonly children?: readonly number[]
  }[]
  /** Ids of nodes. */
  readonly samples: readonly number[]
}

interface Cost {
  self: number
  inclusive: number
}

const IDLE = new Set(['(idle)', '(root)'])
/** On whose behalf time is spent: callers that everything has in common would only hide that. */
const COMMON = /^\(| node:| ws\/|^\w+$/

/** Of every profile in the directory: the functions with the most time of their own and with the most time below them. */
export function summariseProfiles(directory: string, lines: number): string {
  return readdirSync(directory)
    .filter((file) => file.endsWith(PROFILE_ENDING))
    .toSorted()
    .map((file) => {
      const profile = JSON.parse(readFileSync(path.join(directory, file), 'utf8')) as Profile
      return `${file}\n${summarise(profile, lines)}`
    })
    .join('\n\n')
}

export function summarise(profile: Profile, lines: number): string {
  const costs = costsOf(profile)
  const busy = [...costs].reduce((total, [name, { self }]) => total + (IDLE.has(name) ? 0 : self), 0)
  const list = (column: keyof Cost): string =>
    formatTable(
      ['function', column],
      [...costs]
        .filter(([name]) => !IDLE.has(name) && (column === 'self' || !COMMON.test(name)))
        .toSorted((left, right) => right[1][column] - left[1][column])
        .slice(0, lines)
        .map(([name, cost]) => [name, `${((100 * cost[column]) / busy).toFixed(1)} %`]),
    )
  return `${list('self')}\n\n${list('inclusive')}`
}

/**
 * By function, samples. They are counted, not weighed by the time since the sample before: that one is long where others kept
 * the process from running. A function that calls itself counts once in what is inclusive.
 */
function costsOf({ nodes, samples }: Profile): Map<string, Cost> {
  const selfById = new Map<number, number>()
  for (const id of samples) selfById.set(id, (selfById.get(id) ?? 0) + 1)
  const byId = new Map(nodes.map((node) => [node.id, node]))
  const costs = new Map<string, Cost>()
  const callers = new Map<string, number>()
  const visit = (id: number): number => {
    const node = byId.get(id)
    if (node === undefined) return 0
    const name = nameOf(node.callFrame)
    const depth = callers.get(name) ?? 0
    callers.set(name, depth + 1)
    const self = selfById.get(id) ?? 0
    let inclusive = self
    for (const child of node.children ?? []) inclusive += visit(child)
    callers.set(name, depth)
    const cost = costs.get(name) ?? { self: 0, inclusive: 0 }
    cost.self += self
    if (depth === 0) cost.inclusive += inclusive
    costs.set(name, cost)
    return inclusive
  }
  const [root] = nodes
  if (root !== undefined) visit(root.id)
  return costs
}

function nameOf({ functionName, url, lineNumber }: Profile['nodes'][number]['callFrame']): string {
  if (url === '') return functionName === '' ? '(anonymous)' : functionName
  const file = url.replace(/^.*\/(?:packages|node_modules)\//, '').replace('/dist/', '/')
  return `${functionName === '' ? '(anonymous)' : functionName} ${file}:${lineNumber + 1}`
}
