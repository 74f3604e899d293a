// Nothing is acknowledged before a quorum holds it on disk: by what the disks hold, not by what the nodes say (rule of the
// write path; NATS 2.12.1, etcd#14140).
import type { Operation } from '../workload/history.ts'
import type { Violation } from './violation.ts'

/** The workload's values name their writer and count its writes. */
const VALUE = /c\d+\.\d+/g

export class DurableQuorum {
  readonly violations: Violation[] = []
  /** By value: the machines whose log held it behind a sync, ever. Later compaction or truncation takes nothing away. */
  readonly #holders = new Map<string, Set<string>>()
  #judged = 0

  /** Acknowledged writes that were looked for. */
  get judged(): number {
    return this.#judged
  }

  /** These bytes of its log have reached the machine's disk. */
  synced(machine: string, bytes: Uint8Array): void {
    const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')
    for (const [value] of text.matchAll(VALUE)) {
      // What follows the value may look like more digits of it.
      for (let end = value.indexOf('.') + 2; end <= value.length; end++)
        this.#add(value.slice(0, end), machine)
    }
  }

  /** A client has the answer in hand; `needed` machines make a quorum of the smallest group that may have given it. */
  acknowledged(operation: Operation, needed: number): void {
    const { type, f, applied, argument } = operation
    if (type !== 'ok' || !applied || (f !== 'set' && f !== 'cas') || typeof argument !== 'string') return
    this.#judged += 1
    const holders = [...(this.#holders.get(argument) ?? [])].toSorted()
    if (holders.length >= needed) return
    const message = `acknowledged with ${argument} on the disks of ${holders.join(' ') || 'nobody'}, ${needed} needed`
    this.violations.push({ checker: 'durable', message, operations: [operation] })
  }

  #add(value: string, machine: string): void {
    const holders = this.#holders.get(value)
    if (holders === undefined) this.#holders.set(value, new Set([machine]))
    else holders.add(machine)
  }
}
