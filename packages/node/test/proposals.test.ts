import { limits } from '@quorate/protocol'
import { describe, expect, it } from 'vitest'
import { Proposals, type Requester } from '../src/replica/proposals.ts'

function requester(): Requester & { readonly heard: string[] } {
  const heard: string[] = []
  return {
    heard,
    answers: (answers) => heard.push(`answers ${answers.length}`),
    refused: (code) => heard.push(`refused ${code}`),
    open: (code) => heard.push(`open ${code}`),
  }
}

describe('proposals', () => {
  it('E3: a section whose entry was truncated stays open when leadership is lost, it is not refused', () => {
    const proposals = new Proposals()
    const one = requester()
    proposals.enqueue({ bytes: new Uint8Array(10), requester: one })
    proposals.appended(5, 2, proposals.takeBatch())
    proposals.leadershipLost()
    proposals.applied(5, 3, [])
    expect(one.heard).toEqual(['open LEADERSHIP_LOST'])
  })

  it('E2: only a different committed entry at its index refuses what was appended', () => {
    const proposals = new Proposals()
    const one = requester()
    proposals.enqueue({ bytes: new Uint8Array(10), requester: one })
    proposals.appended(5, 2, proposals.takeBatch())
    proposals.applied(4, 2, [[]])
    expect(one.heard).toEqual([])
    proposals.applied(5, 3, [[]])
    expect(one.heard).toEqual(['refused NOT_LEADER'])
  })

  it('E9: everything queued is refused and everything appended is open when leadership is lost; nobody hears twice', () => {
    const proposals = new Proposals()
    const [appended, queued] = [requester(), requester()]
    proposals.enqueue({ bytes: new Uint8Array(10), requester: appended })
    proposals.appended(1, 1, proposals.takeBatch())
    proposals.enqueue({ bytes: new Uint8Array(10), requester: queued })
    proposals.leadershipLost()
    proposals.leadershipLost()
    expect(appended.heard).toEqual(['open LEADERSHIP_LOST'])
    expect(queued.heard).toEqual(['refused NOT_LEADER'])
    expect(proposals.queuedBytes).toBe(0)
  })

  it('a batch takes its first section whatever its size, and no second one beyond the entry limit', () => {
    const proposals = new Proposals()
    const big = new Uint8Array(limits.entryBytes + 1)
    proposals.enqueue({ bytes: big, requester: requester() })
    proposals.enqueue({ bytes: new Uint8Array(1), requester: requester() })
    expect(proposals.takeBatch().map((section) => section.bytes.length)).toEqual([big.length])
    expect(proposals.takeBatch().map((section) => section.bytes.length)).toEqual([1])
    expect(proposals.queued).toBe(false)
  })

  it('E5: sections of one entry hear their own answers in their order', () => {
    const proposals = new Proposals()
    const [first, second] = [requester(), requester()]
    proposals.enqueue({ bytes: new Uint8Array(1), requester: first })
    proposals.enqueue({ bytes: new Uint8Array(1), requester: second })
    proposals.appended(1, 1, proposals.takeBatch())
    const answer = {
      type: 'refused' as const,
      code: 'STALE' as const,
      position: { epoch: 0, version: 0, t: 0 },
    }
    proposals.applied(1, 1, [[answer], [answer, answer]])
    expect(first.heard).toEqual(['answers 1'])
    expect(second.heard).toEqual(['answers 2'])
  })
})
