// Runs one seed of the simulator as it is built in a copy of the workspace.
import { runChild } from './child.ts'

const VIOLATION_CHARS_MAX = 120

export type SeedEnd =
  | { readonly outcome: 'passed' | 'timedOut' }
  | { readonly outcome: 'failed'; readonly violation: string }

export async function runSeedOf(workspace: string, seed: number, timeLimitMs: number): Promise<SeedEnd> {
  const program = 'packages/harness/dist/main-sim.js'
  const { code, output, timedOut } = await runChild([program, '--seed', String(seed)], workspace, timeLimitMs)
  if (timedOut) return { outcome: 'timedOut' }
  if (code === 0) return { outcome: 'passed' }
  const lines = output.split('\n').map((line) => line.trim())
  const violation =
    lines.find((line) => line.startsWith('VIOLATION ')) ?? lines.findLast((line) => line !== '')
  const text = (violation ?? `exit code ${code}`).replace('VIOLATION ', '')
  return { outcome: 'failed', violation: text.slice(0, VIOLATION_CHARS_MAX) }
}
