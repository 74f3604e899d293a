// An exclusive lock that a killed process does not leave behind. Node has no flock.
//
// The lock is a file that names its owner: process id, the time that process started, the boot of the machine. An owner
// that no longer runs does not hold it. Takers of a stale lock compete for one name, `<lock>.<nonce of the stale one>`,
// by link(2), which fails if the name exists; the winner checks that the lock is still the stale one and renames its own
// file over it. Whoever loses or comes late sees another nonce and backs off. Process ids mean nothing across process
// namespaces (two containers on one volume): there the kernel's lock of the state store is what refuses.
import crypto from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import process from 'node:process'
import { DiskError, type DiskLock } from '../disk.ts'

interface Owner {
  readonly pid: number
  /** Start of the process in clock ticks since boot; null where /proc does not tell. */
  readonly started: string | null
  readonly machineBoot: string | null
  readonly nonce: string
}

/** Throws `DiskError` `LOCKED` while another owner lives (this process included). */
export function takeLock(file: string): DiskLock {
  const own: Owner = {
    pid: process.pid,
    started: startOf(process.pid),
    machineBoot: machineBoot(),
    nonce: crypto.randomBytes(8).toString('hex'),
  }
  const temporary = `${file}.new-${own.nonce}`
  fs.writeFileSync(temporary, `${JSON.stringify(own)}\n`, { flag: 'wx' })
  try {
    if (!linked(temporary, file)) replaceStale(temporary, file)
  } finally {
    fs.rmSync(temporary, { force: true })
  }
  removeLeftOvers(file)
  return {
    release: () => {
      if (readOwner(file)?.nonce === own.nonce) fs.unlinkSync(file)
    },
  }
}

function replaceStale(temporary: string, file: string): void {
  const root = readOwner(file)
  let candidate = `${file}.${staleNonce(file, root)}`
  // A taker may itself have been killed between its two steps: then the next one follows it.
  while (!linked(temporary, candidate)) candidate = `${file}.${staleNonce(file, readOwner(candidate))}`
  if (readOwner(file)?.nonce !== root?.nonce) {
    fs.rmSync(candidate, { force: true })
    throw locked(file, readOwner(file))
  }
  fs.renameSync(candidate, file)
}

function staleNonce(file: string, owner: Owner | null): string {
  if (owner === null || isAlive(owner)) throw locked(file, owner)
  return owner.nonce
}

/** Files of takers that were killed; only the holder of the lock comes here. */
function removeLeftOvers(file: string): void {
  const directory = path.dirname(file)
  for (const name of fs.readdirSync(directory)) {
    if (!name.startsWith(`${path.basename(file)}.`)) continue
    const owner = readOwner(path.join(directory, name))
    if (owner !== null && !isAlive(owner)) fs.rmSync(path.join(directory, name), { force: true })
  }
}

function linked(from: string, to: string): boolean {
  try {
    fs.linkSync(from, to)
    return true
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false
    throw error
  }
}

/** Null where there is no such file. A live lock is linked only when whole: what cannot be parsed outlived a power loss. */
function readOwner(file: string): Owner | null {
  let text: string
  let inode: number
  try {
    text = fs.readFileSync(file, 'utf8')
    inode = fs.statSync(file).ino
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null
    throw error
  }
  return parseOwner(text) ?? { pid: 0, started: null, machineBoot: 'unreadable', nonce: inode.toString(16) }
}

function parseOwner(text: string): Owner | null {
  try {
    const owner: unknown = JSON.parse(text)
    if (typeof owner !== 'object' || owner === null) return null
    const { pid, started, machineBoot: boot, nonce } = owner as Record<string, unknown>
    if (typeof pid !== 'number' || typeof nonce !== 'string' || !/^[0-9a-f]+$/.test(nonce)) return null
    return {
      pid,
      nonce,
      started: typeof started === 'string' ? started : null,
      machineBoot: typeof boot === 'string' ? boot : null,
    }
  } catch {
    return null
  }
}

function isAlive(owner: Owner): boolean {
  if (owner.machineBoot !== machineBoot()) return false
  const started = startOf(owner.pid)
  if (started !== null || owner.started !== null) return started === owner.started
  try {
    process.kill(owner.pid, 0)
    return true
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}

/**
 * Field 22 of /proc/PID/stat; the name in field 2 may hold anything, so count from its closing bracket. Null for a
 * process that is gone or only waits to be reaped.
 */
function startOf(pid: number): string | null {
  try {
    const stat = fs.readFileSync(`/proc/${pid}/stat`, 'utf8')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return fields[0] === 'Z' || fields[0] === 'X' ? null : (fields[19] ?? null)
  } catch {
    return null
  }
}

function machineBoot(): string | null {
  try {
    return fs.readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
  } catch {
    return null
  }
}

function locked(file: string, owner: Owner | null): DiskError {
  const who = owner === null ? 'an owner that cannot be read' : `process ${owner.pid}`
  return new DiskError('LOCKED', `${file} is held by ${who}`)
}
