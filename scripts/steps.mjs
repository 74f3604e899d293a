// Runs the installed tools by name, for the scripts beside this one.
import { spawnSync } from 'node:child_process'
import path from 'node:path'
import process from 'node:process'

export const root = path.resolve(import.meta.dirname, '..')

/** Exit code of a tool of this workspace, its output passed through. */
export function runTool(name, ...args) {
  return run(path.join(root, 'node_modules/.bin', name), ...args)
}

/** Exit code of a script of this folder. */
export function runScript(name, ...args) {
  return run(process.execPath, path.join(root, 'scripts', name), ...args)
}

/** Exit code of a built program of `packages/harness`. */
export function runHarness(program, ...args) {
  return run(process.execPath, path.join(root, 'packages/harness/dist', `${program}.js`), ...args)
}

function run(command, ...args) {
  const { status, error } = spawnSync(command, args, {
    cwd: root,
    stdio: 'inherit',
    shell: process.platform === 'win32',
  })
  if (error) console.error(`${command}: ${error.message}`)
  return status ?? 1
}
