// The packages that etcd's rows need. They are installed only where that was asked for: a benchmark does not change a system.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync } from 'node:fs'
import path from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'

/** Debian and its descendants. */
const PACKAGES = ['etcd-server', 'golang-go', 'golang-etcd-server-dev']
/** Where they put Go libraries. */
const GOPATH = '/usr/share/gocode'
const source = fileURLToPath(new URL('../../etcd-load/main.go', import.meta.url))

/** Why etcd cannot be measured; null if it can. Installs what is missing if `install`, and then fails loudly. */
export function etcdObstacle(install: boolean): string | null {
  if (missing() === null) return null
  if (!install) return `${missing()}; --system installs ${PACKAGES.join(', ')}`
  run('apt-get', ['update'], { DEBIAN_FRONTEND: 'noninteractive' })
  run('apt-get', ['install', '--yes', '--no-install-recommends', ...PACKAGES], {
    DEBIAN_FRONTEND: 'noninteractive',
  })
  const still = missing()
  if (still !== null) throw new Error(`installed, and still ${still}`)
  return null
}

/** Builds the load generator in `directory`; returns its path. */
export function buildEtcdLoad(directory: string): string {
  mkdirSync(directory, { recursive: true })
  const program = path.join(directory, 'etcd-load')
  // The libraries come without module files: only GOPATH mode finds them, and flags for modules would refuse it.
  run('go', ['build', '-o', program, source], {
    GO111MODULE: 'off',
    GOPATH,
    GOFLAGS: '',
    GOCACHE: path.join(directory, 'go-cache'),
  })
  return program
}

export function etcdVersion(): string {
  const { stdout } = spawnSync('etcd', ['--version'], { encoding: 'utf8' })
  return /etcd Version: (\S+)/.exec(stdout)?.[1] ?? 'of unknown version'
}

function missing(): string | null {
  for (const tool of ['etcd', 'go'])
    if (spawnSync('sh', ['-c', `command -v ${tool}`]).status !== 0) return `${tool} is not installed`
  if (!existsSync(path.join(GOPATH, 'src/go.etcd.io/etcd/clientv3')))
    return "etcd's Go client is not installed"
  return null
}

function run(command: string, args: readonly string[], environment: Readonly<Record<string, string>>): void {
  const { status, error } = spawnSync(command, args, {
    stdio: ['ignore', 2, 2],
    env: { ...process.env, ...environment },
  })
  if (error !== undefined) throw error
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} failed with ${status}`)
}
