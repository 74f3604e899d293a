// The ceiling's three processes.
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync } from 'node:fs'
import path from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { endChild, killAtExit } from '../children.ts'
import { LoadProcess } from '../load/load-process.ts'
import { type LoadSettings, type System, pidsOf, seedOf } from '../system.ts'

const program = fileURLToPath(new URL('../main-ceiling.js', import.meta.url))
const unobserved = { begins: async () => {}, ended: async () => {} }

export async function startCeiling(directory: string, settings: LoadSettings): Promise<System> {
  mkdirSync(directory, { recursive: true })
  const children: ChildProcess[] = []
  const start = async (name: string, ...followers: string[]): Promise<string> => {
    const child = fork(program, [path.join(directory, name), ...followers])
    killAtExit(child)
    children.push(child)
    const [port] = (await once(child, 'message')) as [number]
    return String(port)
  }
  const followers = [await start('follower-1'), await start('follower-2')]
  const port = await start('leader', ...followers)
  const load = await LoadProcess.start('ceiling', [`127.0.0.1:${port}`])
  await load.fill(settings.keys, settings.valueBytes)
  return {
    name: 'ceiling',
    version: process.version,
    serverPids: () => pidsOf(children),
    measure: async (work, run) => {
      const { result } = await load.measure(
        { ...work, ...settings, seed: seedOf(settings, run), profile: null },
        unobserved,
      )
      const { keys } = settings
      return {
        system: 'ceiling',
        ...work,
        run,
        ...result,
        leaders: [1, 0, 0],
        shards: 1,
        keys,
        servers: null,
      }
    },
    stop: async () => {
      await load.close()
      await Promise.all(children.map((child) => endChild(child, 'SIGTERM')))
    },
  }
}
