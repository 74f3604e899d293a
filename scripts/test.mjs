// `npm test`: verifies types, lint, format, dead code, the bug catalogue and the mutants, runs every test, lets some mutants
// be found, ends with one line of counts.
// With arguments it passes them to Vitest and skips the verification: `npm test -- --project raft:unit -t election`.
import { existsSync, readFileSync, rmSync } from 'node:fs'
import path from 'node:path'
import process from 'node:process'
import { root, runHarness, runScript, runTool } from './steps.mjs'

const report = path.join(root, 'node_modules', '.quorate-tests.json')
const args = process.argv.slice(2)

const verified = args.length > 0 || runScript('verify.mjs') === 0
rmSync(report, { force: true })
const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`]
const passed = runTool('vitest', 'run', '--config', 'vitest.workspace.ts', ...reporters, ...args) === 0
const proved = args.length > 0 || runHarness('main-mutants', '--short', '--jobs', '2') === 0
if (!verified) console.log('verify failed: see above; `npm run verify` repeats it alone')
if (!proved) console.log('a mutant was not found: see above; `npm run mutants -- --short` repeats it alone')

const counts = readCounts()
// A machine that cannot run a test says so; CI has to be able to run all of them.
const skipRefused = process.env.CI !== undefined && counts.skipped > 0
process.exitCode = verified && passed && proved && counts.failed === 0 && !skipRefused ? 0 : 1
console.log(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`)

function readCounts() {
  // No report: Vitest itself failed, which must not read as "0 failed".
  if (!existsSync(report)) return { passed: 0, failed: 1, skipped: 0 }
  const json = JSON.parse(readFileSync(report, 'utf8'))
  // A file that cannot even be loaded has no tests, but it did fail.
  const broken = json.testResults.filter(
    ({ status, assertionResults }) => status === 'failed' && assertionResults.length === 0,
  )
  return {
    passed: json.numPassedTests,
    failed: json.numFailedTests + broken.length,
    skipped: json.numPendingTests + json.numTodoTests,
  }
}
