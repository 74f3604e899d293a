// Eviction: what goes, what stays, and what the hand and the cursor choose (time.md, eviction).
import type { Command, Section, Victim } from '@quorate/protocol'
import { describe, expect, test } from 'vitest'
import { createScrub } from '../src/index.ts'
import { commandsEntry, foundAll, GROUP, Replica } from './support/replica.ts'

const never = Number.MAX_SAFE_INTEGER
const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text)
const textOf = (key: Uint8Array): string => new TextDecoder().decode(key)

/** A shard with one session, written one key at a time. */
class Shard {
  readonly replica: Replica
  #sequence = 0

  constructor(hotBytesMax = 1_048_576) {
    this.replica = new Replica(hotBytesMax)
    const open: Section = { kind: 'openSession', group: GROUP, notAfter: never }
    this.replica.append(commandsEntry(1_000, open, foundAll(4)))
  }

  run(body: Pick<Command, 'op' | 'key'> & Partial<Omit<Extract<Command, { op: 'set' }>, 'op'>>): number {
    this.#sequence += 1
    const command = {
      condition: { type: 'always' },
      sequence: this.#sequence,
      notAfter: never,
      ...body,
    } as Command
    const session = { group: GROUP, version: 1 }
    const ackedUpTo = this.#sequence - 1
    const section: Section = { kind: 'commands', group: GROUP, session, ackedUpTo, commands: [command] }
    const [[answer] = []] = this.replica.append(commandsEntry(1_000, section))
    if (answer?.type !== 'applied') throw new Error(`not applied: ${answer?.code}`)
    return this.replica.state.lastVersion
  }

  set(name: string, options: Partial<Extract<Command, { op: 'set' }>> = {}): number {
    return this.run({
      op: 'set',
      key: bytesOf(name),
      value: { type: 'integer', integer: 1 },
      ttl: 0,
      ...options,
    })
  }

  evict(...victims: Victim[]): string[] {
    this.replica.append(commandsEntry(1_000, { kind: 'evict', group: GROUP, victims }))
    return this.replica.state.removals.map(({ cause, key }) => `${cause} ${textOf(key)}`)
  }

  has(name: string): boolean {
    const [answer] = this.replica.read([bytesOf(name)], 1_000)
    return answer?.type === 'applied' && answer.result.type === 'entry'
  }

  choose(count: number, bytes = Number.POSITIVE_INFINITY): string[] {
    return this.replica.state.chooseVictims(bytes, count).map(({ key }) => textOf(key))
  }

  chooseCold(): string[] {
    const victims: string[] = []
    const first = this.replica.state.scanCold()
    let scan = first
    do {
      scan?.complete(this.replica.scan(scan))
      victims.push(...(scan?.victims ?? []).map(({ key }) => textOf(key)))
      scan = this.replica.state.scanCold()
    } while (scan !== null && (scan.slot !== first?.slot || scan.key.length > 0))
    return victims.toSorted()
  }
}

describe('an eviction', () => {
  test('rule 23: takes an entry at the version that was chosen; a newer write survives and nothing is reported', () => {
    const shard = new Shard()
    const key = bytesOf('k')
    const chosen = shard.set('k')
    const newer = shard.set('k')
    expect(shard.evict({ key, version: chosen })).toEqual([])
    expect(shard.has('k')).toBe(true)
    expect(shard.evict({ key, version: newer }, { key, version: newer })).toEqual(['evicted k'])
    expect(shard.has('k')).toBe(false)
  })

  test('takes the next version, so that a later write of the key is above it', () => {
    const shard = new Shard()
    const version = shard.set('k')
    shard.evict({ key: bytesOf('k'), version })
    expect(shard.replica.state.removals).toMatchObject([
      { cause: 'evicted', slotEpoch: 4, removedVersion: version, version: version + 1, deadline: 0 },
    ])
    expect(shard.set('k')).toBe(version + 2)
  })

  test('never takes what was written with evict: false, also after touch, persist, incr, checkpoint and restart', () => {
    const shard = new Shard(0)
    const key = bytesOf('k')
    shard.set('k', { evict: false })
    for (const body of [{ op: 'incr', by: 1 }, { op: 'touch', ttl: 9_000 }, { op: 'persist' }] as const) {
      const version = shard.run({ ...body, key })
      shard.replica.checkpoint()
      shard.replica.restart()
      expect(shard.evict({ key, version })).toEqual([])
      expect(shard.replica.state.stats.pinnedBytes).toBe(1 + 9 + 64)
    }
    const version = shard.set('k')
    expect(shard.replica.state.stats.pinnedBytes).toBe(0)
    expect(shard.evict({ key, version })).toEqual(['evicted k'])
  })

  test('of a slot that is not served takes nothing, of any size and in any order', () => {
    const replica = new Replica(0)
    const victims = Array.from({ length: 1_000 }, (_, at) => ({ key: bytesOf(`k${at}`), version: at + 1 }))
    replica.append(commandsEntry(1_000, { kind: 'evict', group: GROUP, victims }))
    expect(replica.state.removals).toEqual([])
  })

  test('before a sweep in the same log entry leaves the sweep what it looked up', () => {
    const shard = new Shard(0)
    const versions = ['a', 'b', 'c', 'd', 'e'].map((name) => shard.set(name, { ttl: 10 }))
    shard.replica.checkpoint()
    shard.replica.restart()
    const victims = ['a', 'b'].map((name, at) => ({ key: bytesOf(name), version: versions[at] ?? 0 }))
    const sweep: Section = { kind: 'sweep', group: GROUP, limit: 2 }
    shard.replica.append(commandsEntry(2_000, { kind: 'evict', group: GROUP, victims }, sweep))
    const gone = shard.replica.state.removals.map(({ cause, key }) => `${cause} ${textOf(key)}`)
    expect(gone).toEqual(['evicted a', 'evicted b', 'expired c', 'expired d'])
  })
})

describe('rows of pinned entries', () => {
  test('are scrubbed with the bytes that their slot says, and a pin that is lost shows', () => {
    const shard = new Shard()
    shard.set('a', { evict: false })
    shard.set('b')
    shard.replica.checkpoint()
    const rows = shard.replica.storedRows.toSorted(
      (left, right) =>
        left.kind - right.kind || left.slot - right.slot || Buffer.compare(left.key, right.key),
    )
    const scrub = (changed: typeof rows): string | null => {
      const scrubbing = createScrub(GROUP, shard.replica.storedMachine)
      return scrubbing.rows(changed) ?? scrubbing.finish()
    }
    expect(scrub(rows)).toBeNull()
    const unpinned = rows.map((row) =>
      row.kind === 4 && row.value[0] === 2 ? { ...row, value: Uint8Array.of(1, ...row.value.slice(1)) } : row,
    )
    expect(scrub(unpinned)).toMatch(/pinned/)
  })
})

describe('the hand', () => {
  test('goes from the oldest to the newest and spares once what was read or written again', () => {
    const shard = new Shard()
    for (const name of ['a', 'b', 'c', 'd']) shard.set(name)
    expect(shard.has('a')).toBe(true)
    shard.set('b')
    expect(shard.choose(1)).toEqual(['c'])
    expect(shard.choose(4)).toEqual(['d'])
    // Round again: those that it spared have had their turn.
    expect(shard.choose(4)).toEqual(['a', 'b', 'c', 'd'])
  })

  test('never chooses what is pinned or deleted, or an older record of a key', () => {
    const shard = new Shard()
    shard.set('pinned', { evict: false })
    shard.set('deleted')
    shard.set('old')
    shard.replica.checkpoint()
    shard.run({ op: 'del', key: bytesOf('deleted') })
    shard.set('old')
    const [victim, ...others] = [
      ...shard.replica.state.chooseVictims(1e9, 9),
      ...shard.replica.state.chooseVictims(1e9, 9),
    ]
    expect(others).toEqual([])
    expect(victim).toEqual({ key: bytesOf('old'), version: shard.replica.state.lastVersion })
  })

  test('stops at the bytes that are asked for', () => {
    const shard = new Shard()
    for (const name of ['a', 'b', 'c', 'd']) shard.set(name)
    expect(shard.choose(9, 75)).toEqual(['a', 'b'])
  })
})

describe('the cursor', () => {
  test('finds after a restart what nobody has used since, and leaves to the hand what somebody has', () => {
    const shard = new Shard()
    const names = Array.from({ length: 200 }, (_, at) => `{same}${1_000 + at}`)
    for (const name of names) shard.set(name)
    shard.set('pinned', { evict: false })
    shard.replica.checkpoint()
    shard.replica.restart()
    expect(shard.choose(9)).toEqual([])
    expect(shard.has(names[7] ?? '')).toBe(true)
    expect(shard.chooseCold()).toEqual(names.filter((_, at) => at !== 7))
    expect(shard.choose(9)).toEqual([names[7]])
  })
})
