// Three etcd members with their defaults, and the Go program that loads them.
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { endChild, killAtExit } from '../children.ts'
import { freePorts } from '../free-ports.ts'
import type { LoadResult } from '../measurement.ts'
import { type LoadSettings, type System, pidsOf, seedOf } from '../system.ts'
import { buildEtcdLoad, etcdVersion } from './install.ts'

const MEMBERS = 3
const START_MS_MAX = 60_000
const POLL_MS = 100

interface Member {
  readonly name: string
  readonly client: string
  readonly peer: string
  readonly logFile: string
}

export async function startEtcd(directory: string, settings: LoadSettings): Promise<System> {
  const program = buildEtcdLoad(directory)
  const ports = await freePorts(MEMBERS * 2)
  const members = Array.from({ length: MEMBERS }, (_, index) => ({
    name: `m${index + 1}`,
    client: `127.0.0.1:${ports[index * 2]}`,
    peer: `http://127.0.0.1:${ports[index * 2 + 1]}`,
    logFile: path.join(directory, `m${index + 1}.log`),
  }))
  const children = members.map((member) => startMember(member, members, directory))
  const endpoints = members.map(({ client }) => client).join(',')
  const load = loader(program, endpoints, settings)
  await waitUntilHealthy(members)
  await load(['-kind', 'fill'])
  return {
    name: 'etcd',
    version: etcdVersion(),
    serverPids: () => pidsOf(children),
    measure: async (work, run) => {
      const seed = String(seedOf(settings, run))
      const times = ['-warm', `${settings.warmMs}ms`, '-measured', `${settings.measuredMs}ms`]
      const flags = ['-kind', work.kind, '-outstanding', String(work.outstanding), '-seed', seed, ...times]
      const { leader, ...result } = JSON.parse(await load(flags)) as LoadResult & { leader: number }
      const leaders = members.map((_, index) => (index === leader ? 1 : 0))
      return {
        system: 'etcd',
        ...work,
        run,
        ...result,
        leaders,
        shards: 1,
        keys: settings.keys,
        servers: null,
      }
    },
    stop: async () => {
      await Promise.all(children.map((child) => endChild(child, 'SIGTERM')))
    },
  }
}

function startMember(member: Member, members: readonly Member[], directory: string): ChildProcess {
  mkdirSync(directory, { recursive: true })
  const log = openSync(member.logFile, 'a')
  const flags = {
    name: member.name,
    'data-dir': path.join(directory, member.name),
    'log-level': 'error',
    'initial-cluster': members.map(({ name, peer }) => `${name}=${peer}`).join(','),
    'initial-cluster-state': 'new',
    'initial-cluster-token': 'bench',
    'listen-client-urls': `http://${member.client}`,
    'advertise-client-urls': `http://${member.client}`,
    'listen-peer-urls': member.peer,
    'initial-advertise-peer-urls': member.peer,
  }
  const child = spawn(
    'etcd',
    Object.entries(flags).flatMap(([name, value]) => [`--${name}`, value]),
    { stdio: ['ignore', log, log] },
  )
  closeSync(log)
  killAtExit(child)
  return child
}

/** Resolves with what the load generator prints. */
function loader(program: string, endpoints: string, settings: LoadSettings) {
  const common = [
    '-endpoints',
    endpoints,
    '-keys',
    String(settings.keys),
    '-value',
    String(settings.valueBytes),
  ]
  return async (flags: readonly string[]): Promise<string> => {
    const running = promisify(execFile)(program, [...common, ...flags])
    killAtExit(running.child)
    return (await running).stdout
  }
}

async function waitUntilHealthy(members: readonly Member[]): Promise<void> {
  const deadlineMs = performance.now() + START_MS_MAX
  for (const { name, client, logFile } of members) {
    while (!(await isHealthy(client))) {
      if (performance.now() > deadlineMs)
        throw new Error(`etcd's ${name} is not healthy:\n${readFileSync(logFile, 'utf8').slice(-2_000)}`)
      await sleep(POLL_MS)
    }
  }
}

async function isHealthy(client: string): Promise<boolean> {
  try {
    const response = await fetch(`http://${client}/health`)
    return response.ok && (await response.text()).includes('true')
  } catch {
    return false
  }
}
