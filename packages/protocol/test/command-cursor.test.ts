// The cursor over commands reads what the decoder reads, and refuses what the decoder refuses.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  BadFrameError,
  CommandCursor,
  commandCondition,
  decodeSection,
  decodeValue,
  encodeSection,
  type Section,
  startsCommands,
} from '../src/index.ts'
import { section } from './arbitraries.ts'
import { comparable } from './comparable.ts'
import { generator, mutate } from './mutate.ts'

/** Null: refused. */
function decoded(payload: Uint8Array, offset: number): { section: Section; end: number } | null {
  try {
    return decodeSection(payload, offset)
  } catch (error) {
    if (!(error instanceof BadFrameError)) throw error
    return null
  }
}

/** Null: refused. */
function walked(payload: Uint8Array, offset: number): { section: Section; end: number } | null {
  try {
    const cursor = new CommandCursor()
    cursor.attach(payload)
    cursor.begin(offset)
    const { group, session, ackedUpTo, count } = cursor
    const commands = []
    while (cursor.next()) {
      const command = cursor.command()
      commands.push(command)
      const { isSet, sequence, notAfter, ttl, ifVersion, keyAt, keyLength, valueAt, valueLength } = cursor
      const condition = command.op === 'incr' ? { type: 'always' as const } : command.condition
      expect(cursor.condition).toBe(commandCondition[condition.type])
      const key = payload.slice(keyAt, keyAt + keyLength)
      const value = isSet ? decodeValue(payload.slice(valueAt, valueAt + valueLength)) : valueLength
      expect(comparable({ isSet, sequence, notAfter, ttl, ifVersion, key, value })).toEqual(
        comparable({
          isSet: command.op === 'set',
          sequence: command.sequence,
          notAfter: command.notAfter,
          ttl: 'ttl' in command ? command.ttl : 0,
          ifVersion: condition.type === 'ifVersion' ? condition.version : 0,
          key: command.key.slice(),
          value: command.op === 'set' ? command.value : 0,
        }),
      )
    }
    expect(commands.length).toBe(count)
    return { section: { kind: 'commands', group, session, ackedUpTo, commands }, end: cursor.end }
  } catch (error) {
    if (!(error instanceof BadFrameError)) throw error
    return null
  }
}

test('a cursor gives what the decoder gives, wherever the section lies and whatever was damaged', () => {
  let [taken, refused] = [0, 0]
  fc.assert(
    fc.property(section, fc.nat(5), fc.integer(), fc.boolean(), (original, before, seed, isDamaged) => {
      const valid = encodeSection(original)
      const bytes = isDamaged ? mutate(valid, generator(seed)) : valid
      // In a buffer of others' bytes, before and behind.
      const buffer = new Uint8Array(before + bytes.length + 11).fill(0x33)
      buffer.set(bytes, before + 3)
      const payload = buffer.subarray(3)
      if (!startsCommands(payload, before)) return
      const expected = decoded(payload, before)
      expect(comparable(walked(payload, before))).toEqual(comparable(expected))
      // Cut at the end of what was written.
      const cut = payload.subarray(0, before + bytes.length)
      expect(comparable(walked(cut, before))).toEqual(comparable(decoded(cut, before)))
      if (expected === null) refused += 1
      else taken += 1
    }),
    { numRuns: 3_000 },
  )
  expect(Math.min(taken, refused)).toBeGreaterThan(100)
})
