// `npm run verify [-- STEP...]`: everything that can be said of the sources without running them. Changes no tracked file.
import process from 'node:process'
import { runHarness, runScript, runTool } from './steps.mjs'

const steps = {
  types: () => runTool('tsc', '-p', 'tsconfig.tests.json'),
  lint: () => runTool('oxlint', '--deny-warnings'),
  format: () => runTool('oxfmt', '--check', '.'),
  unused: () => runTool('knip', '--no-config-hints'),
  catalogue: () => runScript('catalogue.mjs'),
  mutants: () => runHarness('main-mutants', '--check'),
}

const names = process.argv.slice(2)
const unknown = names.filter((name) => !Object.hasOwn(steps, name))
if (unknown.length > 0) {
  console.error(`unknown step ${unknown.join(', ')}; there are ${Object.keys(steps).join(', ')}`)
  process.exit(2)
}
// Every step runs, so that one run tells everything that is wrong.
const failed = Object.entries(steps)
  .filter(([name]) => names.length === 0 || names.includes(name))
  .filter(([, step]) => step() !== 0)
  .map(([name]) => name)
if (failed.length > 0) {
  console.error(`verify failed: ${failed.join(', ')}`)
  process.exitCode = 1
}
