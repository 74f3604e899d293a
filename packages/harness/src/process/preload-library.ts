// Libraries that change what the system tells a process, loaded in front of the C library: syncs that lie, clocks that are wrong.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'

interface PreloadLibrary {
  readonly debianPackage: string
  readonly places: readonly string[]
}

/** The control experiment: every sync is a lie. A test that stays green under it sees nothing. */
export const lyingSync: PreloadLibrary = {
  debianPackage: 'eatmydata',
  places: inLibraryDirectories('libeatmydata.so'),
}

/** `FAKETIME` says what the wall clock shows. */
export const fakeTime: PreloadLibrary = {
  debianPackage: 'libfaketime',
  places: inLibraryDirectories('faketime/libfaketime.so.1'),
}

/** The library's path; null where it is missing and must not be installed. Throws if the installation fails. */
export function findLibrary({ debianPackage, places }: PreloadLibrary, install: boolean): string | null {
  const find = (): string | null => places.find((place) => existsSync(place)) ?? null
  const known = find()
  if (known !== null || !install) return known
  for (const step of [['update'], ['install', '--yes', '--no-install-recommends', debianPackage]]) {
    const { status } = spawnSync('apt-get', step, {
      stdio: ['ignore', 2, 2],
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    })
    if (status !== 0) throw new Error(`apt-get ${step.join(' ')} failed`)
  }
  return find()
}

function inLibraryDirectories(name: string): string[] {
  const directories = ['/usr/lib/x86_64-linux-gnu', '/usr/lib/aarch64-linux-gnu', '/usr/lib64', '/usr/lib']
  return directories.map((directory) => `${directory}/${name}`)
}
