import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, test } from 'vitest'
import { binPath } from '../src/bin-path.ts'

// Loaded before the launcher: counts the threads that were added until the process ends. Importing the program uses the pool.
const probe = `
  const { readdirSync } = require('node:fs')
  const threads = () => readdirSync('/proc/self/task').length
  const before = threads()
  process.on('exit', () => process.stderr.write(String(threads() - before)))
`

test.runIf(process.platform === 'linux')(
  'the launcher gives the thread pool 12 threads before it starts',
  () => {
    const directory = mkdtempSync(path.join(tmpdir(), 'quorate-launcher-'))
    try {
      const file = path.join(directory, 'probe.cjs')
      writeFileSync(file, probe)
      const { UV_THREADPOOL_SIZE: _, ...env } = process.env
      const command = `"${process.execPath}" --require "${file}" "${binPath}" --version 2>&1 >/dev/null`
      const added = Number(execFileSync('sh', ['-c', command], { env, encoding: 'utf8' }))
      expect(added).toBeGreaterThanOrEqual(12)
    } finally {
      rmSync(directory, { recursive: true })
    }
  },
)
