// The disk's memory twin: one machine's disk that survives the crashes of the processes on it, with a disk's faults.
import path from 'node:path'
import { type Disk, DiskError, type DiskFile } from '../disk.ts'
import type { Random } from '../random.ts'
import type { Timers } from '../timers.ts'
import { MemoryNames } from './memory-directory.ts'
import { MemoryFile } from './memory-file.ts'

export interface MemoryDiskOptions {
  /** With timers a sync takes `syncLatencyMs`; without, it ends in a later microtask. */
  readonly timers?: Timers
  /** What decides latencies and the fate of unsynced writes. Without it nothing unsynced survives a power loss. */
  readonly random?: Random
  /** Bytes of all files together before a write fails with ENOSPC. Default: no limit. */
  readonly capacityBytes?: number
  /** Uniform between the two; default 0.2 to 2 ms. Needs `timers`. */
  readonly syncLatencyMs?: readonly [min: number, max: number]
}

export type DiskOperation = 'create' | 'write' | 'sync' | 'syncDirectory' | 'rename' | 'unlink'

/** Called before an operation takes effect. It may crash the disk: then the operation does not take place. */
export type BoundaryHook = (operation: DiskOperation, path: string) => void

export interface CrashOptions {
  /** False: only the process died, the page cache survives (and a later power loss may still lose it). */
  readonly powerLoss: boolean
}

/** A disk and the means to hurt it. */
export interface MemoryDisk {
  /** The disk for the process that runs now. After `crash` the old one is dead: it throws `CRASHED`, its syncs never end. */
  readonly disk: Disk
  crash(options: CrashOptions): void
  onBoundary: BoundaryHook | null
  /** Called when a sync has made written bytes durable, once for each write, oldest first. */
  onDurable: ((path: string, bytes: Uint8Array) => void) | null
  syncLatencyMs: readonly [min: number, max: number]
  capacityBytes: number
  /** The nth operation of this kind from now (1 is the next) fails once with this code. */
  failNext(operation: DiskOperation, nth: number, code: string): void
  /** The next write lands `offset` bytes from where it was meant. */
  misdirectNextWrite(offset: number): void
  paths(): string[]
  sizeOf(file: string): number
  readFile(file: string): Uint8Array
  flipBits(file: string, position: number, mask: number): void
  truncate(file: string, size: number): void
  /** The file is gone, durably. */
  lose(file: string): void
  /** A disk with the same files and pending writes, of which nobody runs: an older copy of the directory. */
  copy(): MemoryDisk
  readonly usedBytes: number
}

/** Makes an empty disk. Deterministic: it consults nothing but its options. */
export function createMemoryDisk(options: MemoryDiskOptions = {}): MemoryDisk {
  return new World(options, new MemoryNames())
}

interface PlannedFailure {
  readonly operation: DiskOperation
  countdown: number
  readonly code: string
}

class World implements MemoryDisk {
  onBoundary: BoundaryHook | null = null
  onDurable: ((path: string, bytes: Uint8Array) => void) | null = null
  syncLatencyMs: readonly [min: number, max: number]
  capacityBytes: number
  disk: Disk
  readonly names: MemoryNames
  readonly locks: Set<string> = new Set()
  readonly #options: MemoryDiskOptions
  #generation = 1
  #failures: PlannedFailure[] = []
  #misdirection = 0

  constructor(options: MemoryDiskOptions, names: MemoryNames) {
    this.#options = options
    this.names = names
    this.syncLatencyMs = options.syncLatencyMs ?? [0.2, 2]
    this.capacityBytes = options.capacityBytes ?? Number.MAX_SAFE_INTEGER
    this.disk = this.#newDisk()
  }

  crash({ powerLoss }: CrashOptions): void {
    this.#generation += 1
    this.locks.clear()
    this.disk = this.#newDisk()
    if (!powerLoss) return
    // Of an unsynced write nothing is kept where nobody draws.
    const draw = (): number => this.#options.random?.next() ?? 0
    for (const file of new Set(this.names.files())) file.losePower(draw)
    this.names.losePower(draw)
    for (const file of this.names.files()) file.losePower(draw)
  }

  failNext(operation: DiskOperation, nth: number, code: string): void {
    this.#failures.push({ operation, countdown: nth, code })
  }

  misdirectNextWrite(offset: number): void {
    this.#misdirection = offset
  }

  get usedBytes(): number {
    let used = 0
    for (const file of this.names.files()) used += file.size
    return used
  }

  paths(): string[] {
    return this.names.paths()
  }

  sizeOf(file: string): number {
    return this.find(file).size
  }

  readFile(file: string): Uint8Array {
    const found = this.find(file)
    return found.read(0, found.size)
  }

  flipBits(file: string, position: number, mask: number): void {
    this.find(file).flip(position, mask)
  }

  truncate(file: string, size: number): void {
    this.find(file).truncate(size)
  }

  lose(file: string): void {
    this.find(file)
    this.names.unlink(path.normalize(file))
    this.names.settle()
  }

  copy(): MemoryDisk {
    const names = new MemoryNames()
    for (const directory of this.names.directories) names.directories.add(directory)
    for (const file of this.names.paths()) names.link(file, this.find(file).copy())
    names.settle()
    return new World(this.#options, names)
  }

  find(file: string): MemoryFile {
    const found = this.names.get(path.normalize(file))
    if (found === undefined) throw new DiskError('ENOENT', `no such file: ${file}`)
    return found
  }

  /** Where an operation may be cut off or fail. A planned failure is consumed by it. */
  boundary(operation: DiskOperation, file: string, assertAlive: () => void): void {
    assertAlive()
    this.onBoundary?.(operation, file)
    assertAlive()
    for (const failure of this.#failures) if (failure.operation === operation) failure.countdown -= 1
    const due = this.#failures.find((failure) => failure.countdown === 0)
    if (due === undefined) return
    this.#failures = this.#failures.filter((failure) => failure !== due)
    throw new DiskError(due.code, `${operation} ${file}: injected ${due.code}`)
  }

  /** Takes the displacement of the next write. */
  takeMisdirection(): number {
    const offset = this.#misdirection
    this.#misdirection = 0
    return offset
  }

  /** Ends when a sync would; `isAlive` false by then: never. */
  ended(isAlive: () => boolean, finish: () => void): Promise<void> {
    return new Promise((resolve, reject) => {
      const end = (): void => {
        if (!isAlive()) return
        try {
          finish()
          resolve()
        } catch (error) {
          reject(error instanceof Error ? error : new Error(String(error)))
        }
      }
      const { timers, random } = this.#options
      const [min, max] = this.syncLatencyMs
      if (timers === undefined) queueMicrotask(end)
      else timers.after(min + (max - min) * (random?.next() ?? 0), end)
    })
  }

  #newDisk(): Disk {
    const born = this.#generation
    return memoryProcessDisk(this, () => this.#generation === born)
  }
}

function memoryProcessDisk(world: World, isAlive: () => boolean): Disk {
  const assertAlive = (): void => {
    if (!isAlive()) throw new DiskError('CRASHED', 'the process that used this disk is dead')
  }
  const { names } = world
  const assertDirectory = (directory: string): void => {
    if (!names.directories.has(directory)) throw new DiskError('ENOENT', `no such directory: ${directory}`)
  }
  return {
    create: (given) => {
      const file = path.normalize(given)
      world.boundary('create', file, assertAlive)
      assertDirectory(path.dirname(file))
      if (names.get(file) !== undefined) throw new DiskError('EEXIST', `exists: ${file}`)
      const content = new MemoryFile()
      names.link(file, content)
      return memoryHandle(world, file, content, isAlive, assertAlive)
    },
    open: (given) => {
      assertAlive()
      return memoryHandle(world, path.normalize(given), world.find(given), isAlive, assertAlive)
    },
    exists: (given) => {
      assertAlive()
      const file = path.normalize(given)
      return names.get(file) !== undefined || names.directories.has(file)
    },
    list: (directory) => {
      assertAlive()
      assertDirectory(path.normalize(directory))
      return names.list(path.normalize(directory))
    },
    // As on the real disk, directories are durable when this returns.
    makeDirectory: (directory) => {
      assertAlive()
      for (let made = path.normalize(directory); !names.directories.has(made); made = path.dirname(made)) {
        names.directories.add(made)
      }
    },
    rename: (from, to) => {
      world.boundary('rename', from, assertAlive)
      names.rename(path.normalize(from), path.normalize(to), world.find(from))
    },
    unlink: (file) => {
      world.boundary('unlink', file, assertAlive)
      world.find(file)
      names.unlink(path.normalize(file))
    },
    syncDirectory: async (directory) => {
      assertDirectory(path.normalize(directory))
      const covered = names.changes
      world.boundary('syncDirectory', directory, assertAlive)
      await world.ended(isAlive, () => names.commit(path.normalize(directory), covered))
    },
    freeBytes: () => {
      assertAlive()
      return Math.max(0, world.capacityBytes - world.usedBytes)
    },
    lock: (file) => {
      assertAlive()
      if (world.locks.has(file)) throw new DiskError('LOCKED', `${file} is held`)
      world.locks.add(file)
      return { release: () => (isAlive() ? void world.locks.delete(file) : undefined) }
    },
  }
}

function memoryHandle(
  world: World,
  file: string,
  content: MemoryFile,
  isAlive: () => boolean,
  assertAlive: () => void,
): DiskFile {
  let open = true
  const assertOpen = (): void => {
    assertAlive()
    if (!open) throw new DiskError('EBADF', `closed: ${file}`)
  }
  return {
    size: () => {
      assertOpen()
      return content.size
    },
    write: (buffers, position) => {
      world.boundary('write', file, assertOpen)
      const bytes = buffers.length === 1 ? (buffers[0] ?? new Uint8Array(0)) : Buffer.concat(buffers)
      const grown = Math.max(0, position + bytes.length - content.size)
      const bounded = world.capacityBytes < Number.MAX_SAFE_INTEGER
      if (bounded && grown > 0 && world.usedBytes + grown > world.capacityBytes) {
        throw new DiskError('ENOSPC', `no space for ${bytes.length} bytes of ${file}`)
      }
      content.write(Math.max(0, position + world.takeMisdirection()), bytes)
    },
    read: (position, length) => {
      assertOpen()
      return content.read(position, length)
    },
    datasync: async () => {
      const covered = content.writes
      try {
        world.boundary('sync', file, assertOpen)
      } catch (error) {
        if (isAlive()) content.forsake(covered)
        throw error
      }
      await world.ended(isAlive, () => {
        for (const bytes of content.commit(covered)) world.onDurable?.(file, bytes)
      })
    },
    close: () => {
      open = false
    },
  }
}
