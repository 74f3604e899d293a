// Runs a random history against the model and compares every answer and every state on the way.
import type { Section, Victim } from '@quorate/protocol'
import { expect } from 'vitest'
import type { AppliedEntry, CheckpointRow, ReadStep, RowScan } from '../../src/index.ts'
import { Model, nameOf, plain } from './model.ts'
import { type DelayedRead, foundFor, GROUP, payloadOf, Replica } from './replica.ts'
import { allKeys, type Step } from './scenario.ts'

/** Nothing that any version would write. */
const garbage = Uint8Array.of(0xf7, 1, 2, 3)

export class Run {
  readonly model = new Model(GROUP)
  readonly replica: Replica
  readonly states: { readonly canonical: string; readonly hash: string }[] = []
  readonly #answers: string[] = []
  readonly #sections: Section[] = []
  #reads: DelayedRead[] = []
  #stamp = 1_000
  #lookedAhead: { readonly scan: RowScan; readonly rows: readonly CheckpointRow[] } | null = null

  constructor(hotBytesMax: number, deadlineWindow?: number, keys: readonly Uint8Array[] = allKeys) {
    this.replica = new Replica(hotBytesMax, deadlineWindow)
    const open: Section = { kind: 'openSession', group: GROUP, notAfter: Number.MAX_SAFE_INTEGER }
    this.#entry('commands', 0, [open, open, foundFor(keys, 4)])
  }

  step(step: Step): void {
    switch (step.do) {
      case 'entry':
        return this.#entry(step.type, step.elapsed, step.sections)
      case 'again': {
        const section = this.#sections[step.which % this.#sections.length]
        return section === undefined ? undefined : this.#entry('commands', step.elapsed, [section])
      }
      case 'freeze':
        return this.replica.checkpointOpen ? undefined : this.replica.freeze()
      case 'write':
        return this.replica.write(step.count)
      case 'release':
        return this.replica.checkpointOpen ? this.replica.release() : undefined
      case 'restart':
        return this.#restart()
      case 'read':
        return this.#read(step.keys, step.ahead)
      case 'fetch':
        return this.#fetch(this.#reads[step.which])
      case 'complete':
        return this.#complete(this.#reads[step.which])
      case 'lookAhead': {
        const scan = this.replica.state.lookAhead()
        if (scan !== null) this.#lookedAhead = { scan, rows: this.replica.scan(scan) }
        return
      }
      case 'lookedAhead':
        this.#lookedAhead?.scan.complete(this.#lookedAhead.rows)
        this.#lookedAhead = null
        this.#compareEarliest()
        return
      case 'evict':
        return this.#evict(this.#choose(step.from, step.count))
    }
  }

  #choose(from: 'memory' | 'store', count: number): readonly Victim[] {
    const { state } = this.replica
    if (from === 'memory') return state.chooseVictims(Number.POSITIVE_INFINITY, count)
    const scan = state.scanCold()
    scan?.complete(this.replica.scan(scan))
    return scan?.victims ?? []
  }

  /** Nothing came between the choice and the eviction: each victim goes. */
  #evict(victims: readonly Victim[]): void {
    for (const { key, version } of victims)
      expect(this.model.entries[nameOf(key)]).toMatchObject({ version, pinned: false })
    if (victims.length === 0) return
    this.#entry('commands', 0, [{ kind: 'evict', group: GROUP, victims }])
    expect(this.replica.state.removals).toHaveLength(victims.length)
  }

  #entry(type: AppliedEntry['type'], elapsed: number, sections: readonly Section[] | null): void {
    this.#stamp = Math.max(0, this.#stamp + elapsed)
    const payload = sections === null ? garbage : payloadOf(sections)
    const expected = plain(this.model.apply({ stamp: this.#stamp, sections }))
    expect(plain(this.replica.append({ type, stamp: this.#stamp, payload }))).toBe(expected)
    expect(plain(this.replica.state.removals)).toBe(plain(this.model.removals))
    this.#answers.push(expected)
    this.#sections.push(...(sections ?? []))
    this.#compare()
  }

  #compare(): void {
    const { state } = this.replica
    expect(state.clock).toBe(this.model.clock)
    expect(state.lastVersion).toBe(this.model.lastVersion)
    expect(state.stats).toEqual({
      slots: Object.keys(this.model.slots).length,
      keys: Object.keys(this.model.entries).length,
      bytes: this.#bytesOf(() => true),
      pinnedBytes: this.#bytesOf((pinned) => pinned),
      sessions: Object.keys(this.model.sessions).length,
    })
    this.#compareEarliest()
    this.states.push({ canonical: this.model.canonical(), hash: state.stateHash() })
  }

  #bytesOf(counts: (pinned: boolean) => boolean): number {
    return Object.entries(this.model.entries)
      .filter(([, { pinned }]) => counts(pinned))
      .reduce((sum, [name, { value }]) => {
        const length = value.type === 'integer' ? 9 : value.bytes.length + 1
        return sum + name.length / 2 + 64 + length
      }, 0)
  }

  /** What a leader plans its next sweep by. */
  #compareEarliest(): void {
    const { earliestDeadline } = this.replica.state
    if (earliestDeadline === 'unknown') return
    const deadlines = Object.values(this.model.entries).map(({ deadline }) => deadline)
    const least = Math.min(...deadlines.filter((deadline) => deadline !== 0))
    expect(earliestDeadline ?? Infinity).toBe(least)
  }

  #restart(): void {
    for (const [index, answers] of this.replica.restart())
      expect(plain(answers)).toBe(this.#answers[index - 1])
    this.#reads = []
    this.#lookedAhead = null
    this.#compare()
  }

  #read(keys: readonly Uint8Array[], ahead: number): void {
    const t = Math.max(0, this.model.clock + ahead)
    const step = this.replica.state.beginRead(keys, t)
    if (step.type !== 'fetch') this.#end(step, keys, t)
    else this.#reads.push({ keys, t, ticket: step.ticket, rows: step.rows, values: [] })
  }

  #fetch(read: DelayedRead | undefined): void {
    const row = read?.rows[read.values.length]
    if (row !== undefined) read?.values.push(this.replica.get(row))
  }

  #complete(read: DelayedRead | undefined): void {
    if (read === undefined) return
    while (read.values.length < read.rows.length) this.#fetch(read)
    const step = this.replica.state.completeRead(read.ticket, read.values)
    if (step.type !== 'fetch') {
      this.#end(step, read.keys, read.t)
      this.#reads = this.#reads.filter((other) => other !== read)
    } else {
      Object.assign(read, { ticket: step.ticket, rows: step.rows, values: [] })
    }
  }

  #end(step: Exclude<ReadStep, { type: 'fetch' }>, keys: readonly Uint8Array[], t: number): void {
    expect(plain(step.type === 'tick' ? null : step.answers)).toBe(plain(this.model.read(keys, t)))
  }

  /** Ends every read that waits and looks at every key once more. */
  finish(keys: readonly Uint8Array[]): void {
    while (this.#reads.length > 0) this.#complete(this.#reads[0])
    expect(plain(this.replica.read(keys, this.model.clock))).toBe(
      plain(this.model.read(keys, this.model.clock)),
    )
  }
}
