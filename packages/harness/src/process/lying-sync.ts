// The control experiment: a library that makes every sync a lie. A test that stays green under it sees nothing.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'

const places = [
  '/usr/lib/x86_64-linux-gnu/libeatmydata.so',
  '/usr/lib/aarch64-linux-gnu/libeatmydata.so',
  '/usr/lib64/libeatmydata.so',
  '/usr/lib/libeatmydata.so',
]

/** The library's path; null where it is missing and must not be installed. Throws if the installation fails. */
export function findLyingSync(install: boolean): string | null {
  const known = find()
  if (known !== null || !install) return known
  for (const step of [['update'], ['install', '--yes', '--no-install-recommends', 'eatmydata']]) {
    const { status } = spawnSync('apt-get', step, {
      stdio: ['ignore', 2, 2],
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    })
    if (status !== 0) throw new Error(`apt-get ${step.join(' ')} failed`)
  }
  return find()
}

function find(): string | null {
  return places.find((place) => existsSync(place)) ?? null
}
