// Loaded beside the checker in a process of its own: says at the end what the process took.
import process from 'node:process'

process.on('exit', () => {
  const { maxRSS, userCPUTime, systemCPUTime } = process.resourceUsage()
  const used = { cpuSeconds: (userCPUTime + systemCPUTime) / 1_000_000, rssMiB: maxRSS / 1_024 }
  process.stderr.write(JSON.stringify(used))
})
