// `npm run fix [-- PATH...]`: repairs what a tool can repair: lint, format, and the generated table in docs/testing.md.
import process from 'node:process'
import { runScript, runTool } from './steps.mjs'

const paths = process.argv.slice(2)
const codes = [
  runTool('oxlint', '--fix', ...paths),
  runTool('oxfmt', ...(paths.length > 0 ? paths : ['.'])),
  runScript('catalogue.mjs', '--write'),
]
process.exitCode = codes.some((code) => code !== 0) ? 1 : 0
