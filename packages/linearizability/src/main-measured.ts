// The checker as a program that says at its end, on stderr, what it took. For `main-proof.ts`.
import process from 'node:process'
import { runCheck } from './command/run-check.ts'

process.exitCode = runCheck(process.argv.slice(2), {
  out: (text) => process.stdout.write(`${text}\n`),
  error: (text) => process.stderr.write(`${text}\n`),
})
const { maxRSS, userCPUTime, systemCPUTime } = process.resourceUsage()
const used = { cpuSeconds: (userCPUTime + systemCPUTime) / 1_000_000, rssMiB: maxRSS / 1_024 }
process.stderr.write(JSON.stringify(used))
