// Where all systems keep their data: one directory on a real file system, whose syncs mean something.
import { mkdirSync, mkdtempSync, rmSync, statfsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import process from 'node:process'

/** linux/magic.h: TMPFS_MAGIC, RAMFS_MAGIC. */
const MEMORY_FILE_SYSTEMS = new Set([0x0102_1994, 0x8584_58f6])

/**
 * A new directory under `parent`, or without one under the first of the usual places that is no memory.
 * @throws if `parent` is in memory: a sync there costs nothing.
 */
export function makeWorkDirectory(parent: string | undefined): string {
  if (parent !== undefined) mkdirSync(parent, { recursive: true })
  const places = parent === undefined ? [tmpdir(), '/var/tmp', process.cwd()] : [parent]
  const place = places.find((one) => !isMemory(one))
  if (place === undefined)
    throw new Error(`${places.join(', ')}: a file system in memory; name another with --directory`)
  const directory = mkdtempSync(path.join(place, 'quorate-bench-'))
  process.on('exit', () => rmSync(directory, { recursive: true, force: true }))
  return directory
}

function isMemory(place: string): boolean {
  try {
    return MEMORY_FILE_SYSTEMS.has(statfsSync(place).type)
  } catch {
    return true
  }
}
