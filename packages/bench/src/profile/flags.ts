// Flags of `node` that make a process leave a CPU profile behind when it ends in order.
import { mkdirSync } from 'node:fs'

export const PROFILE_ENDING = '.cpuprofile'

/** By the name of a process; null without a directory. */
export function profileFlags(directory: string | undefined): ((name: string) => readonly string[]) | null {
  if (directory === undefined) return null
  mkdirSync(directory, { recursive: true })
  return (name) => ['--cpu-prof', `--cpu-prof-dir=${directory}`, `--cpu-prof-name=${name}${PROFILE_ENDING}`]
}
