// Runs a built program of this package in a process of its own, as a person would.
import { spawn } from 'node:child_process'
import path from 'node:path'

export interface Ended {
  readonly code: number | null
  readonly output: string
}

export function runBuilt(program: string, ...flags: string[]): Promise<Ended> {
  const file = path.resolve(import.meta.dirname, '../dist', `${program}.js`)
  const child = spawn(process.execPath, [file, ...flags], { stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()))
  return new Promise((resolve) => {
    child.once('exit', (code) => resolve({ code, output }))
  })
}
