// Lets the layers look for one mutant, in a copy of the workspace that has it.
import path from 'node:path'
import { type Killer, type Layer, type Mutant, packageOf } from './mutant.ts'
import { runSeedOf } from './run-seed-of.ts'
import { runTests } from './run-tests.ts'
import { kindOfTest, unitTests } from './test-files.ts'

/** A layer that has found nothing by then has not found it. A mutant that computes for ever is no kill either. */
const timeLimitMs: Readonly<Record<Layer, number>> = {
  scripted: 180_000,
  property: 240_000,
  simulator: 300_000,
}

export interface HuntOptions {
  readonly layers: readonly Layer[]
  readonly seeds: readonly number[]
  /** Stop at the first layer that finds it; else every layer has its turn. */
  readonly first: boolean
  readonly named: boolean
}

type Step = () => Promise<Omit<Killer, 'layer' | 'seconds'> | null>

/** What found the mutant, in the order of the layers; empty: it survives. */
export async function hunt(workspace: string, mutant: Mutant, options: HuntOptions): Promise<Killer[]> {
  const packages = path.join(workspace, 'packages')
  const own = unitTests(packages, packageOf(mutant.file)).filter((file) => !mutant.tests.includes(file))
  const steps: { layer: Layer; run: Step }[] = []
  const addTests = (files: readonly string[], layer: 'scripted' | 'property'): void => {
    const some = files.filter((file) => kindOfTest(packages, file) === layer)
    steps.push({ layer, run: () => huntByTests(workspace, some, timeLimitMs[layer]) })
  }
  // Whoever wrote the mutant knows where to look, and then it takes seconds.
  addTests(mutant.tests, 'scripted')
  addTests(mutant.tests, 'property')
  if (!options.named) {
    addTests(own, 'scripted')
    addTests(own, 'property')
  }
  steps.push({ layer: 'simulator', run: () => huntBySeeds(workspace, options.seeds) })

  const started = performance.now()
  const killers: Killer[] = []
  for (const { layer, run } of steps) {
    if (!options.layers.includes(layer) || killers.some((killer) => killer.layer === layer)) continue
    const found = await run()
    if (found !== null) killers.push({ layer, ...found, seconds: (performance.now() - started) / 1000 })
    if (found !== null && options.first) break
  }
  return killers
}

async function huntByTests(workspace: string, files: readonly string[], limitMs: number): ReturnType<Step> {
  const end = await runTests(workspace, files, limitMs)
  if (end.outcome === 'unloadable')
    throw new Error(`no mutant: with it ${end.file} does not load: ${end.message}`)
  return end.outcome === 'failed' ? { by: `${end.file}: ${end.test}`, again: { test: end.file } } : null
}

async function huntBySeeds(workspace: string, seeds: readonly number[]): ReturnType<Step> {
  const deadline = performance.now() + timeLimitMs.simulator
  for (const seed of seeds) {
    const left = deadline - performance.now()
    if (left <= 0) return null
    const end = await runSeedOf(workspace, seed, left)
    if (end.outcome === 'failed') return { by: `seed ${seed}: ${end.violation}`, again: { seed } }
  }
  return null
}
