// Three Quorate servers on loopback ports, and what an observer outside can ask of them.
import { type Cache, connect } from '@quorate/client'
import { mkdirSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePorts } from '../free-ports.ts'
import { type ServerStatus, readServerStatus } from './server-status.ts'
import { ServerProcess } from './server-process.ts'

const NODES = 3
const POLL_MS = 20
const STATUS_MS_MAX = 5_000

export interface ClusterOptions {
  readonly directory: string
  readonly shards: number
}

export class Cluster {
  readonly servers: readonly ServerProcess[]
  readonly shards: number
  #observer: Cache | null = null

  private constructor(servers: readonly ServerProcess[], shards: number) {
    this.servers = servers
    this.shards = shards
  }

  /** Plans the processes; nothing runs yet. */
  static async plan({ directory, shards }: ClusterOptions): Promise<Cluster> {
    mkdirSync(directory, { recursive: true })
    const ports = await freePorts(NODES * 2)
    const places = Array.from({ length: NODES }, (_, index) => ({
      name: `n${index + 1}`,
      clientAddress: `127.0.0.1:${ports[index * 2]}`,
      peerAddress: `127.0.0.1:${ports[index * 2 + 1]}`,
    }))
    const bootstrap = places.map(({ name, peerAddress }) => `${name}=${peerAddress}`).join(',')
    const servers = places.map(
      ({ name, clientAddress, peerAddress }) =>
        new ServerProcess({
          name,
          clientAddress,
          logFile: path.join(directory, `${name}.log`),
          serveArguments: [
            `--id=${name}`,
            `--data=${path.join(directory, name)}`,
            `--listen=${clientAddress}`,
            `--peer-listen=${peerAddress}`,
            `--bootstrap=${bootstrap}`,
            `--shards=${shards}`,
          ],
        }),
    )
    return new Cluster(servers, shards)
  }

  get endpoints(): string[] {
    return this.servers.map(({ plan }) => plan.clientAddress)
  }

  /** Starts what does not run and resolves when every server answers and every shard is served. */
  async start(timeoutMs: number): Promise<void> {
    for (const server of this.servers) if (!server.running) server.start()
    await this.waitUntilServed(timeoutMs)
  }

  async stop(): Promise<void> {
    await this.#forget()
    await Promise.all(this.servers.map((server) => server.end('SIGTERM')))
  }

  /** Of the servers that answer, in their order. */
  async statuses(): Promise<ServerStatus[]> {
    try {
      this.#observer ??= await connect(this.endpoints, { timeout: STATUS_MS_MAX })
      const reports = await this.#observer.status({ timeout: STATUS_MS_MAX })
      const statuses = reports.flatMap(({ status }) => (status === null ? [] : [readServerStatus(status)]))
      if (statuses.length === 0) await this.#forget()
      return statuses.toSorted((left, right) => (left.id < right.id ? -1 : 1))
    } catch (error) {
      // While nobody listens yet there is nobody to ask; anything else would only repeat itself until the deadline.
      await this.#forget()
      if (error instanceof Error && 'outcome' in error) return []
      throw error
    }
  }

  async waitUntilServed(timeoutMs: number): Promise<void> {
    const deadlineMs = performance.now() + timeoutMs
    for (;;) {
      const statuses = await this.statuses()
      if (statuses.length === NODES && unled(statuses, this.shards) === 0) return
      const dead = this.servers.find(({ running }) => !running)
      if (dead !== undefined) throw new Error(`${dead.plan.name} has ended:\n${dead.lastLog()}`)
      if (performance.now() > deadlineMs)
        throw new Error(`${unled(statuses, this.shards)} shards have no leader after ${timeoutMs} ms`)
      await sleep(POLL_MS)
    }
  }

  async #forget(): Promise<void> {
    const observer = this.#observer
    this.#observer = null
    await observer?.close()
  }
}

/** How many shards (group 0, the meta group, is none) each server leads. */
export function leadersOf(statuses: readonly ServerStatus[]): number[] {
  return statuses.map(
    ({ shards }) => shards.filter(({ group, role }) => group > 0 && role === 'leader').length,
  )
}

/** Groups without a leader that serves; the meta group counts. */
function unled(statuses: readonly ServerStatus[], shards: number): number {
  const led = new Set(
    statuses.flatMap((status) =>
      status.shards
        .filter(({ role, servesReads }) => role === 'leader' && servesReads)
        .map(({ group }) => group),
    ),
  )
  return shards + 1 - led.size
}
