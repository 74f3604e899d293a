// `quorate-check HISTORY --model NAME`: the checker as a program. README.md describes the format.
import process from 'node:process'
import { runCheck } from './command/run-check.ts'

process.exitCode = runCheck(process.argv.slice(2), {
  out: (text) => process.stdout.write(`${text}\n`),
  error: (text) => process.stderr.write(`${text}\n`),
})
