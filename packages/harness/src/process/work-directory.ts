// A directory of a fault test: kept when the test fails, so that logs and data can be looked at.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'

export function makeWorkDirectory(name: string): string {
  return mkdtempSync(path.join(tmpdir(), `quorate-${name}-`))
}

export function removeWorkDirectory(directory: string): void {
  rmSync(directory, { recursive: true, force: true })
}
