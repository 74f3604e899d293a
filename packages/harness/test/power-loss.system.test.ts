import { describe, expect, it } from 'vitest'
import { findLibrary, lyingSync } from '../src/process/preload-library.ts'
import { loopMountObstacle } from '../src/process/loop-image.ts'
import { runBuilt } from './run-built.ts'

/** CI has to be able to run all of it; elsewhere what the machine cannot do is said by a skip. */
const mustRun = process.env['CI'] === 'true'
const noMounts = loopMountObstacle() !== null && !mustRun
const noControl = noMounts || (findLibrary(lyingSync, false) === null && !mustRun)

describe('loss of power', () => {
  it.skipIf(noMounts)(
    'loses no acknowledged write, for one node, all at once, and after a kill (G5, A2, D9)',
    async () => {
      const { code, output } = await runBuilt('main-power-loss', '--rounds', '3')
      expect(output).toContain('verdict: ok')
      expect(code).toBe(0)
    },
    240_000,
  )

  it.skipIf(noMounts)(
    'loses no acknowledged write of a cluster of one (B11)',
    async () => {
      const { code, output } = await runBuilt('main-power-loss', '--nodes', '1', '--rounds', '2')
      expect(output).toContain('verdict: ok')
      expect(code).toBe(0)
    },
    240_000,
  )

  it.skipIf(noControl)(
    'is seen by the test when syncs do nothing: the control finds losses',
    async () => {
      const { code, output } = await runBuilt('main-power-loss', '--rounds', '2', '--lying-sync')
      expect(output).toContain('the test can see losses')
      expect(code).toBe(0)
    },
    240_000,
  )
})
