// A cluster of real node processes on loopback ports, and what an observer outside can ask of it.
import type { NodeStatus } from '@quorate/node'
import { mkdirSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePorts } from './free-ports.ts'
import { NodeProcess } from './node-process.ts'
import { StatusReader } from './status-reader.ts'

const POLL_MS = 25

export interface ProcessClusterOptions {
  readonly nodes: number
  readonly shards: number
  /** Further nodes, which join through the first ones when they are started. */
  readonly joiners?: number
  /** Logs, and data unless `dataDirectoryOf` says otherwise. */
  readonly directory: string
  readonly dataDirectoryOf?: (name: string) => string
  /** Further flags of `quorate serve`; `true`: one without a value. */
  readonly serveFlags?: Readonly<Record<string, string | number | true>>
  readonly environment?: Readonly<Record<string, string>>
}

export class ProcessCluster {
  /** The first nodes, then those that join. */
  readonly nodes: readonly NodeProcess[]
  readonly #first: number
  readonly #shards: number
  readonly #reader: StatusReader

  private constructor(nodes: readonly NodeProcess[], first: number, shards: number) {
    this.nodes = nodes
    this.#first = first
    this.#shards = shards
    this.#reader = new StatusReader(this.endpoints)
  }

  /** Plans the processes; nothing runs yet. */
  static async plan(options: ProcessClusterOptions): Promise<ProcessCluster> {
    mkdirSync(options.directory, { recursive: true })
    const count = options.nodes + (options.joiners ?? 0)
    const ports = await freePorts(count * 2)
    const places = Array.from({ length: count }, (_, index) => ({
      name: `n${index + 1}`,
      clientAddress: `127.0.0.1:${ports[index * 2]}`,
      peerAddress: `127.0.0.1:${ports[index * 2 + 1]}`,
    }))
    const first = places.slice(0, options.nodes)
    const bootstrap = first.map(({ name, peerAddress }) => `${name}=${peerAddress}`).join(',')
    const join = first.map(({ peerAddress }) => peerAddress).join(',')
    const dataOf = options.dataDirectoryOf ?? ((name: string) => path.join(options.directory, name))
    const nodes = places.map(
      (place, index) =>
        new NodeProcess({
          ...place,
          logFile: path.join(options.directory, `${place.name}.log`),
          serveArguments: [
            flagsOf({
              id: place.name,
              data: dataOf(place.name),
              listen: place.clientAddress,
              'peer-listen': place.peerAddress,
              ...(index < options.nodes ? { bootstrap, shards: options.shards } : { join }),
            }),
            flagsOf(options.serveFlags ?? {}),
          ].flat(),
          ...(options.environment === undefined ? {} : { environment: options.environment }),
        }),
    )
    return new ProcessCluster(nodes, options.nodes, options.shards)
  }

  get endpoints(): string[] {
    return this.nodes.map(({ plan }) => plan.clientAddress)
  }

  /** The first nodes. */
  startAll(): void {
    for (const node of this.nodes.slice(0, this.#first)) if (!node.running) node.start()
  }

  node(name: string): NodeProcess {
    const found = this.nodes.find(({ plan }) => plan.name === name)
    if (found === undefined) throw new Error(`no node ${name}`)
    return found
  }

  async killAll(): Promise<void> {
    await this.#reader.close()
    await Promise.all(this.nodes.map((node) => node.kill()))
  }

  /** An ordinary stop of every node. */
  async stopAll(): Promise<void> {
    await this.#reader.close()
    await Promise.all(this.nodes.map((node) => node.stop()))
  }

  /** Of the nodes that answer. */
  async statuses(): Promise<NodeStatus[]> {
    return this.#reader.read()
  }

  /** Every node answers, and every shard and the meta group have a leader that serves. */
  async waitUntilServed(timeoutMs: number): Promise<void> {
    await this.waitFor('every node answers and every shard is served', timeoutMs, (statuses) =>
      this.#served(statuses),
    )
  }

  async waitFor(
    what: string,
    timeoutMs: number,
    met: (statuses: readonly NodeStatus[]) => boolean,
  ): Promise<readonly NodeStatus[]> {
    const deadlineMs = performance.now() + timeoutMs
    for (;;) {
      const dead = this.nodes.slice(0, this.#first).filter(({ running }) => !running)
      const statuses = await this.statuses()
      if (met(statuses)) return statuses
      if (performance.now() > deadlineMs)
        throw new Error(
          [
            `not within ${timeoutMs} ms: ${what}`,
            ...statuses.map((status) => describeStatus(status)),
            ...dead.map((node) => `${node.plan.name} does not run; its log ends with:\n${node.lastLog()}`),
          ].join('\n'),
        )
      await sleep(POLL_MS)
    }
  }

  #served(statuses: readonly NodeStatus[]): boolean {
    if (statuses.length < this.#first) return false
    const led = new Set(
      statuses.flatMap(({ shards }) =>
        shards.filter(({ role, servesReads }) => role === 'leader' && servesReads).map(({ group }) => group),
      ),
    )
    return Array.from({ length: this.#shards + 1 }, (_, group) => group).every((group) => led.has(group))
  }
}

function flagsOf(flags: Readonly<Record<string, string | number | true>>): string[] {
  return Object.entries(flags).flatMap(([name, value]) =>
    value === true ? [`--${name}`] : [`--${name}`, String(value)],
  )
}

function describeStatus({ id, state, shards }: NodeStatus): string {
  const replicas = shards.map(
    ({ group, role, term, appliedIndex, commitIndex }) =>
      `${group}:${role}@${term} ${appliedIndex}/${commitIndex}`,
  )
  return `${id} ${state} ${replicas.join(', ')}`
}
