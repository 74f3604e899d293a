// Vitest 4 no longer reads this name by itself: every script passes `--config vitest.workspace.ts`.
import { readdirSync } from 'node:fs'
import { defineConfig } from 'vitest/config'

const packages = readdirSync(new URL('packages', import.meta.url))

// `extends: true` matters: a project given as a glob string does not inherit the conditions and then tests run on
// whatever `dist` holds. `ssr.resolve` matters: `resolve.conditions` has no effect on tests in the node environment.
const project = (name: string, kind: 'unit' | 'system') => ({
  extends: true as const,
  root: `packages/${name}`,
  test: {
    name: `${name}:${kind}`,
    include: [kind === 'unit' ? 'test/**/!(*.system).test.ts' : 'test/**/*.system.test.ts'],
    // Real processes and clocks: one file at a time, after everything that only computes.
    ...(kind === 'system'
      ? { fileParallelism: false, sequence: { groupOrder: 1 }, testTimeout: 120_000 }
      : // Properties compute for seconds; on a busy machine that is no failure.
        { testTimeout: 60_000 }),
  },
})

export default defineConfig({
  ssr: { resolve: { conditions: ['quorate-source', 'module', 'node', 'development|production'] } },
  test: {
    maxWorkers: 2,
    projects: packages.flatMap((name) => [project(name, 'unit'), project(name, 'system')]),
  },
})
