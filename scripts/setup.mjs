// Makes the checkout runnable with nothing but Node and npm: installs the locked dependencies with a pinned pnpm, then builds.
// Does nothing (and needs no network) when what it last did is still true. Every root script runs it first.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import process from 'node:process'

const pnpmVersion = '12.21.0'
const root = path.resolve(import.meta.dirname, '..')
const stamp = path.join(root, 'node_modules', '.quorate-setup')
const packages = readdirSync(path.join(root, 'packages')).toSorted()

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
if (major < 20 || (major === 20 && minor < 19)) {
  console.error(`quorate needs Node >= 20.19; this is ${process.version}`)
  process.exit(2)
}

/** What an installation depends on: the lock, the manifests' dependencies, and the platform its binaries are for. */
function installationKey() {
  const hash = createHash('sha256')
  for (const file of ['pnpm-lock.yaml', 'pnpm-workspace.yaml'])
    hash.update(file).update(readFileSync(path.join(root, file)))
  for (const directory of ['.', ...packages.map((name) => `packages/${name}`)]) {
    const file = path.join(root, directory, 'package.json')
    if (!existsSync(file)) continue
    // A changed script must not need the network, so only what pnpm acts upon counts.
    const { name, bin, dependencies, devDependencies, peerDependencies } = JSON.parse(
      readFileSync(file, 'utf8'),
    )
    hash.update(JSON.stringify([name, bin, dependencies, devDependencies, peerDependencies]))
  }
  return hash.update([process.platform, process.arch, pnpmVersion].join(' ')).digest('hex')
}

/** `tsc -b` leaves the outputs of deleted sources, and they can still be imported. */
function removeStaleOutputs(directory) {
  const dist = path.join(directory, 'dist')
  // Without its outputs a build record would only say that there is nothing to do.
  if (!existsSync(dist)) rmSync(path.join(directory, 'tsconfig.tsbuildinfo'), { force: true })
  for (const file of existsSync(dist) ? readdirSync(dist, { recursive: true, encoding: 'utf8' }) : []) {
    const source = file.replace(/\.(?:js|d\.ts)(?:\.map)?$/, '.ts')
    if (source !== file && !existsSync(path.join(directory, 'src', source))) rmSync(path.join(dist, file))
  }
}

function run(command, args) {
  const shell = process.platform === 'win32'
  // stdout belongs to the command that the user asked for; set-up speaks on stderr.
  const { status, error } = spawnSync(command, args, {
    cwd: root,
    shell,
    stdio: ['ignore', 2, 2],
    env: { ...process.env, CI: 'true' },
  })
  if (error) throw error
  if (status !== 0) {
    console.error(`set-up failed: ${command} ${args.join(' ')} (exit ${status})`)
    process.exit(1)
  }
}

const key = installationKey()
if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== key) {
  run('npx', ['--yes', `pnpm@${pnpmVersion}`, 'install', '--frozen-lockfile'])
  writeFileSync(stamp, key)
}
for (const name of packages) removeStaleOutputs(path.join(root, 'packages', name))
run(process.execPath, [path.join(root, 'node_modules/typescript/bin/tsc'), '-b'])
