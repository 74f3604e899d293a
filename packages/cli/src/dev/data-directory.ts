// The directory of `quorate dev`: one folder and one log per node, and a file that says what cluster it is.
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { limits } from '@quorate/protocol'
import { faultOfMaxBytes } from '../arguments.ts'
import { UsageError } from '../exit-code.ts'
import { type DevOptions, devDefaults } from './plan.ts'

const markerName = 'quorate-dev.json'
/** What `dev` itself puts there; anything else belongs to somebody. */
const ownEntry = /^(?:n\d+|n\d+\.log|quorate-dev\.json)$/

/** The cluster that a directory holds; null if it is missing or empty. Throws `UsageError` for what is not `dev`'s. */
export function readCluster(directory: string): DevOptions | null {
  if (!existsSync(directory)) return null
  const entries = readdirSync(directory)
  if (entries.length === 0) return null
  const stranger = entries.find((entry) => !ownEntry.test(entry))
  if (stranger !== undefined || !entries.includes(markerName))
    throw new UsageError(
      `${directory} is not a directory of "quorate dev"${stranger === undefined ? '' : ` (it has "${stranger}")`}`,
      'name another directory with --data; this one is left as it is',
    )
  return parseMarker(readFileSync(path.join(directory, markerName), 'utf8'), directory)
}

/** Typed flags over what the directory remembers, over the defaults. They must not contradict each other. */
export function chooseOptions(typed: Partial<DevOptions>, stored: DevOptions | null): DevOptions {
  const { shards = devDefaults.shards } = typed
  // Many shards get what they need, unless somebody says how much.
  const maxBytes = Math.max(devDefaults.maxBytes, shards * limits.shardBytesMin)
  const chosen = { ...devDefaults, maxBytes, ...stored, ...typed }
  const fault = faultOfMaxBytes(chosen.maxBytes, chosen.shards)
  if (fault !== null) throw new UsageError(fault)
  if (stored !== null)
    for (const name of ['nodes', 'shards', 'port', 'maxBytes'] as const)
      if (chosen[name] !== stored[name])
        throw new UsageError(
          `--${name === 'maxBytes' ? 'max-bytes' : name} ${chosen[name]} contradicts the cluster that is there: it has ${stored[name]}`,
          '--fresh deletes it and forms a new one; --data DIR names another place',
        )
  return chosen
}

/** Deletes what `dev` made there and nothing else. Only after `readCluster` has recognised the directory. */
export function deleteCluster(directory: string): void {
  for (const entry of readdirSync(directory).filter((name) => ownEntry.test(name)))
    rmSync(path.join(directory, entry), { recursive: true })
}

export function writeCluster(directory: string, { nodes, shards, port, maxBytes }: DevOptions): void {
  mkdirSync(directory, { recursive: true })
  writeFileSync(
    path.join(directory, markerName),
    `${JSON.stringify({ format: 1, nodes, shards, port, maxBytes }, null, 2)}\n`,
  )
}

function parseMarker(text: string, directory: string): DevOptions {
  const refuse = (why: string) =>
    new UsageError(`${path.join(directory, markerName)} ${why}`, 'name another directory with --data')
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch {
    throw refuse('is not JSON')
  }
  if (typeof parsed !== 'object' || parsed === null) throw refuse('is not an object')
  const { format, nodes, shards, port, maxBytes = 0 } = parsed as Record<string, unknown>
  if (format !== 1) throw refuse('is of a newer format')
  if (!isPositive(nodes) || !isPositive(shards) || !isPositive(port))
    throw refuse('lacks nodes, shards or port')
  if (maxBytes !== 0 && !isPositive(maxBytes)) throw refuse('has maxBytes that are no bytes')
  return { nodes, shards, port, maxBytes }
}

function isPositive(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value > 0
}
