// A node's data on its own ext4 file system in a loop mount. Power loss = the image is copied as the kernel has written it,
// without unmounting, and the copy is mounted: what was never synced is gone, and ext4 recovers its journal for real.
import { spawnSync } from 'node:child_process'
import { mkdirSync, rmSync } from 'node:fs'
import path from 'node:path'

const IMAGE_MEBIBYTES = 192

/** Seconds between ext4's own commits: long enough that nothing becomes durable by itself within a round. */
const COMMIT_SECONDS = 300

const mounted = new Set<LoopImage>()
process.on('exit', () => {
  for (const image of mounted) image.dispose()
})
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))

/** Why loop mounts cannot be used here; null if they can. */
export function loopMountObstacle(): string | null {
  if (process.platform !== 'linux') return 'loop mounts need Linux'
  if (process.getuid?.() !== 0) return 'loop mounts need root'
  for (const tool of ['mkfs.ext4', 'mount', 'losetup'])
    if (spawnSync('sh', ['-c', `command -v ${tool}`]).status !== 0) return `${tool} is not installed`
  return null
}

export class LoopImage {
  /** Where the file system is mounted. */
  readonly directory: string
  readonly #base: string
  #generation = 0
  #mounted = false

  /** Makes the file system and mounts it. `base` is a path that the image's files begin with. */
  constructor(base: string) {
    this.#base = base
    this.directory = `${base}.mnt`
    mkdirSync(path.dirname(base), { recursive: true })
    mkdirSync(this.directory, { recursive: true })
    run('truncate', '-s', `${IMAGE_MEBIBYTES}M`, this.#file)
    run('mkfs.ext4', '-q', '-F', this.#file)
    this.#mount()
  }

  /** The node must have been killed: what it has not synced is lost. */
  losePower(): void {
    const before = this.#file
    this.#generation += 1
    run('cp', '--sparse=always', before, this.#file)
    this.#unmount()
    rmSync(before)
    this.#mount()
  }

  /** Unmounts and removes everything. Idempotent; never throws, so that it can run while the process ends. */
  dispose(): void {
    mounted.delete(this)
    if (this.#mounted && spawnSync('umount', [this.directory]).status !== 0)
      spawnSync('umount', ['--lazy', this.directory])
    this.#mounted = false
    rmSync(this.#file, { force: true })
    rmSync(this.directory, { force: true, recursive: true })
  }

  get #file(): string {
    return `${this.#base}.${this.#generation}.img`
  }

  #mount(): void {
    run('mount', '-o', `loop,commit=${COMMIT_SECONDS}`, this.#file, this.directory)
    this.#mounted = true
    mounted.add(this)
  }

  #unmount(): void {
    run('umount', this.directory)
    this.#mounted = false
    mounted.delete(this)
  }
}

function run(command: string, ...rest: string[]): void {
  const { status, stderr, error } = spawnSync(command, rest, { encoding: 'utf8' })
  if (error !== undefined) throw error
  if (status !== 0) throw new Error(`${command} ${rest.join(' ')}: ${stderr}`)
}
