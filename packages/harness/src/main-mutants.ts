// `npm run mutants`: puts deliberate bugs into a copy of the workspace, one at a time, and sees which test finds each.
// Exit code 1 on a survivor or a patch that does not fit, 2 on misuse.
import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { type MutantArguments, parseMutantArguments, usage } from './mutation/arguments.ts'
import { hunt } from './mutation/hunt.ts'
import { readMutants } from './mutation/mutant-file.ts'
import type { Killer, Mutant } from './mutation/mutant.ts'
import { staleRows, writeRows } from './mutation/page.ts'
import { misfits } from './mutation/patch.ts'
import { recheck } from './mutation/recheck.ts'
import { medianSeconds } from './mutation/median-seconds.ts'
import { WorkspaceCopy } from './mutation/workspace-copy.ts'

const workspace = path.resolve(import.meta.dirname, '../../..')
const page = path.join(workspace, 'docs', 'mutants.md')
const all = readMutants(path.join(workspace, 'packages', 'harness', 'mutants'))

function print(line: string): void {
  process.stdout.write(`${line}\n`)
}

function chosen({ only, short }: MutantArguments): Mutant[] {
  return all.filter(
    (mutant) =>
      (!short || mutant.short) &&
      (only.length === 0 || only.some((text) => `${mutant.name} ${mutant.file}`.includes(text))),
  )
}

interface Results {
  readonly killers: Map<string, readonly Killer[]>
  readonly complaints: string[]
  /** Somebody found something without any mutant: then nothing that was found counts. */
  unsound: boolean
}

/** One lane: a copy of the workspace, and the mutants that wait until none is left. */
async function work(waiting: Mutant[], options: MutantArguments, results: Results): Promise<void> {
  const { killers, complaints } = results
  const copy = new WorkspaceCopy(workspace)
  try {
    for (let mutant = waiting.shift(); mutant !== undefined; mutant = waiting.shift()) {
      try {
        await copy.apply(mutant)
        const found = await hunt(copy.directory, mutant, options)
        killers.set(mutant.name, found)
        if (found.length === 0) complaints.push(`SURVIVES: ${mutant.name} (${mutant.breaks})`)
        for (const line of describe(mutant, found)) print(line)
      } catch (error) {
        complaints.push(error instanceof Error ? error.message : String(error))
        print(`NO MUTANT   ${mutant.name}`)
      } finally {
        copy.restore(mutant)
      }
    }
    // The last lane to get here sees the killers of all.
    const unsound = await recheckNew(copy.directory, killers)
    if (unsound.length > 0) results.unsound = true
    complaints.push(...unsound)
  } finally {
    copy.remove()
  }
}

const rechecked = new Set<Killer>()

async function recheckNew(
  directory: string,
  killers: ReadonlyMap<string, readonly Killer[]>,
): Promise<string[]> {
  const fresh = [...killers.values()].flat().filter((killer) => !rechecked.has(killer))
  for (const killer of fresh) rechecked.add(killer)
  return recheck(directory, fresh)
}

function describe({ name }: Mutant, killers: readonly Killer[]): string[] {
  if (killers.length === 0) return [`SURVIVES    ${name}`]
  return killers.map(
    ({ layer, by, seconds }) => `${layer.padEnd(10)} ${seconds.toFixed(1).padStart(6)} s  ${name}  <-  ${by}`,
  )
}

function finish(complaints: readonly string[]): number {
  for (const complaint of complaints) print(complaint)
  return complaints.length === 0 ? 0 : 1
}

async function main(): Promise<number> {
  let options: MutantArguments
  try {
    options = parseMutantArguments(process.argv.slice(2))
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n${usage}\n`)
    return 2
  }
  const unfit = misfits(path.join(workspace, 'packages'), all)
  if (options.check) return finish([...unfit, ...staleRows(readFileSync(page, 'utf8'), all)])
  if (unfit.length > 0) return finish(unfit)
  const mutants = chosen(options)
  if (mutants.length === 0) return finish(['no mutant is chosen'])
  const results: Results = { killers: new Map(), complaints: [], unsound: false }
  const waiting = [...mutants]
  const lanes = Math.min(options.jobs, mutants.length)
  await Promise.all(Array.from({ length: lanes }, () => work(waiting, options, results)))
  if (options.write && !results.unsound)
    writeFileSync(page, writeRows(readFileSync(page, 'utf8'), all, results.killers))
  const firsts = [...results.killers.values()].flatMap(([killer]) => (killer === undefined ? [] : [killer]))
  print(
    `${mutants.length} mutants, ${firsts.length} found, median ${medianSeconds(firsts).toFixed(1)} s until found`,
  )
  return finish(results.complaints)
}

// Copies are removed by the end of this process, whatever ends it.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1))
process.exitCode = await main()
