// Runs test files in a copy of the workspace until the first fails.
import { existsSync, readFileSync, rmSync } from 'node:fs'
import path from 'node:path'
import { runChild } from './child.ts'
import { packageOf } from './mutant.ts'

export type TestsEnd =
  | { readonly outcome: 'passed' | 'timedOut' }
  /** `file` is relative to `packages/`. */
  | { readonly outcome: 'failed'; readonly file: string; readonly test: string }
  /** A file that does not even load proves nothing about what it tests. */
  | { readonly outcome: 'unloadable'; readonly file: string; readonly message: string }

interface FileReport {
  readonly name: string
  readonly status: string
  readonly message?: string
  readonly assertionResults: readonly { readonly status: string; readonly fullName: string }[]
}

/** `files` are relative to `packages/`. With `bail`, nothing is begun after the first failure. */
export async function runTests(
  workspace: string,
  files: readonly string[],
  timeLimitMs: number,
): Promise<TestsEnd> {
  if (files.length === 0) return { outcome: 'passed' }
  const report = path.join(workspace, 'test-report.json')
  rmSync(report, { force: true })
  const projects = new Set(
    files.map((file) => `${packageOf(file)}:${isSystemTest(file) ? 'system' : 'unit'}`),
  )
  const { code, output, timedOut } = await runChild(
    [
      'node_modules/vitest/vitest.mjs',
      'run',
      '--config=vitest.workspace.ts',
      '--bail=1',
      '--reporter=json',
      `--outputFile=${report}`,
      ...Array.from(projects, (project) => `--project=${project}`),
      ...files.map((file) => `packages/${file}`),
    ],
    workspace,
    timeLimitMs,
  )
  if (timedOut) return { outcome: 'timedOut' }
  if (!existsSync(report)) throw new Error(`Vitest gave no report:\n${output}`)
  return judge(workspace, readReports(report), code)
}

function isSystemTest(file: string): boolean {
  return file.endsWith('.system.test.ts')
}

function readReports(report: string): FileReport[] {
  const { testResults } = JSON.parse(readFileSync(report, 'utf8')) as { testResults: FileReport[] }
  if (testResults.length === 0) throw new Error('Vitest found no test to run')
  return testResults
}

function judge(workspace: string, reports: readonly FileReport[], code: number | null): TestsEnd {
  const relative = (name: string): string => path.relative(path.join(workspace, 'packages'), name)
  for (const { name, assertionResults } of reports) {
    const failed = assertionResults.find(({ status }) => status === 'failed')
    if (failed !== undefined) return { outcome: 'failed', file: relative(name), test: failed.fullName.trim() }
  }
  const broken = reports.find(
    ({ status, assertionResults }) => status === 'failed' && assertionResults.length === 0,
  )
  if (broken !== undefined)
    return { outcome: 'unloadable', file: relative(broken.name), message: broken.message ?? '' }
  const [first] = reports
  if (code !== 0 && first !== undefined)
    return { outcome: 'failed', file: relative(first.name), test: 'an error outside of any test' }
  return { outcome: 'passed' }
}
