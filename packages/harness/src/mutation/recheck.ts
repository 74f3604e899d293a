// Whoever found a mutant must find nothing in sound sources: a test that fails anyway has proved nothing.
import type { Killer } from './mutant.ts'
import { runSeedOf } from './run-seed-of.ts'
import { runTests } from './run-tests.ts'

const TESTS_TIMEOUT_MS = 600_000
const SEED_TIMEOUT_MS = 300_000

/** Runs each of them once in a copy without a mutant; the complaints, a line each. */
export async function recheck(workspace: string, killers: readonly Killer[]): Promise<string[]> {
  const tests = new Set<string>()
  const seeds = new Set<number>()
  for (const { again } of killers) {
    if ('test' in again) tests.add(again.test)
    else seeds.add(again.seed)
  }
  const complaints: string[] = []
  const end = await runTests(workspace, [...tests], TESTS_TIMEOUT_MS)
  if (end.outcome === 'failed') complaints.push(`without any mutant ${end.file} fails: ${end.test}`)
  else if (end.outcome !== 'passed') complaints.push(`without any mutant the tests have ${end.outcome}`)
  for (const seed of seeds) {
    const { outcome } = await runSeedOf(workspace, seed, SEED_TIMEOUT_MS)
    if (outcome !== 'passed') complaints.push(`without any mutant seed ${seed} has ${outcome}`)
  }
  return complaints
}
