// Which terms of others a replica believes.
import { limits } from '@quorate/protocol'
import { expect, it } from 'vitest'
import { faultOfMessage } from '../src/peers/peer-fault.ts'

const isBelieved = (currentTerm: number, term: number): boolean =>
  faultOfMessage(
    { currentTerm, leader: null, role: 'follower', lastIndex: 0 },
    { group: 1, from: 2, to: 1, message: { type: 'termNotice', term }, payloads: [] },
  ) === null

it('a term that one replica was talked into is believed by those some terms behind it, so that they still meet', () => {
  for (const talkedInto of [4, 1_000])
    for (const jump of [1, limits.termsPerEra - 2_000, limits.termsPerEra, 2 * limits.termsPerEra - 2_000]) {
      expect(isBelieved(talkedInto, talkedInto + jump)).toBe(true)
      for (const behind of [0, 1, 3]) expect(isBelieved(behind, talkedInto + jump)).toBe(true)
    }
})

it('a term that no number of elections reaches is refused', () => {
  expect(isBelieved(1, 2 * limits.termsPerEra)).toBe(false)
  expect(isBelieved(1, limits.termMax)).toBe(false)
  expect(isBelieved(limits.termMax - 1, limits.termMax)).toBe(true)
  expect(isBelieved(limits.termMax - 1, limits.termMax + 1)).toBe(false)
})
