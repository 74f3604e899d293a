// One connection of one client: whatever else it asks, each request is answered as if it were the only one.
import {
  type Answer,
  type ClientReply,
  type ClientRequest,
  decodeServerFrame,
  encodeClientFrame,
  encodeSection,
  limits,
  PROTOCOL_VERSION_MAX,
  PROTOCOL_VERSION_MIN,
  type ShardMap,
} from '@quorate/protocol'
import type { Connection } from '@quorate/runtime'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { ClientConnection } from '../src/clients/client-connection.ts'
import { RequestCounts } from '../src/clients/request-counts.ts'
import { RequestBudget } from '../src/clients/request-budget.ts'
import type { Shard } from '../src/replica/shard.ts'
import { Turn } from '../src/turn.ts'

const NOW = 1_000_000
const OWN = 1
const LED_ELSEWHERE = 2
const UNKNOWN = 3
const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text))
const map: ShardMap = {
  clusterId: 'c'.repeat(32),
  epoch: 1,
  nodes: [],
  nextIncarnation: 1,
  leaving: [],
  removed: [],
  bytesMax: 0,
  groups: [],
  slots: new Uint32Array(limits.slots),
}

type Kind = 'read' | 'set' | 'del' | 'close' | 'rubbish' | 'otherGroup' | 'tooLate'
interface Asked {
  readonly kind: Kind
  readonly group: number
  /** Keys of a read, and what makes it different from others. */
  readonly size: number
}

function sectionOf({ kind, group, size }: Asked): Uint8Array {
  const session = { group, version: size }
  if (kind === 'rubbish') return bytes('x'.repeat(size))
  if (kind === 'close') return encodeSection({ kind: 'closeSession', group, session })
  const base = { sequence: 1, notAfter: kind === 'tooLate' ? NOW + 1e9 : NOW, key: bytes(`k${size}`) }
  const value = { type: 'bytes', bytes: bytes('v'.repeat(size)) } as const
  return encodeSection({
    kind: 'commands',
    group: kind === 'otherGroup' ? group + 1 : group,
    session,
    ackedUpTo: 0,
    commands: [
      kind === 'del'
        ? { ...base, op: 'del', condition: { type: 'always' } }
        : { ...base, op: 'set', value, condition: { type: 'always' }, ttl: 0 },
    ],
  })
}

function requestOf(asked: Asked, requestId: number): ClientRequest {
  const { kind, group, size } = asked
  if (kind !== 'read') return { type: 'write', requestId, group, section: sectionOf(asked) }
  const keys = Array.from({ length: size }, (_, at) => bytes(`${size}/${at}`))
  return { type: 'read', requestId, section: { group, keys } }
}

/** A node of which one group is led here; it answers with what it was asked, when `settle` lets it. */
function connected(): {
  readonly ask: (frames: readonly (readonly ClientRequest[])[]) => void
  readonly settle: (order: readonly number[]) => Map<number, Omit<ClientReply, 'requestId'>[]>
  readonly connection: ClientConnection
} {
  const sent: Uint8Array[] = []
  const open: (() => void)[] = []
  const endOfTurn: (() => void)[] = []
  const turn = new Turn(
    {
      after: () => ({ cancel: () => {} }),
      endOfTurn: (callback) => void endOfTurn.push(callback),
    },
    (error) => {
      throw error
    },
  )
  const told = (what: string): Answer[] => [
    {
      type: 'applied',
      position: { epoch: 1, version: 1, t: NOW },
      result: { type: 'entry', version: 1, expiresAt: 0, value: { type: 'bytes', bytes: bytes(what) } },
    },
  ]
  const shard = (isLeader: boolean): Shard => {
    const fake: Pick<Shard, 'read' | 'write'> & { readonly replica: unknown; readonly state: unknown } = {
      replica: { isLeader, leaderTime: () => NOW },
      state: { clock: NOW - 1 },
      read: ({ keys, answers, refused }) =>
        void open.push(() =>
          isLeader
            ? answers(told(keys.map((key) => Buffer.from(key).toString()).join()))
            : refused('NOT_LEADER'),
        ),
      write: (section, header, requester) => {
        open.push(() => {
          if (!isLeader) return requester.refused('NOT_LEADER')
          if (section.length % 5 === 0) return requester.open('NOT_LEADER')
          return requester.answers(
            told(`${header.kind} ${header.deletesOnly} ${Buffer.from(section).toString('base64')}`),
          )
        })
      },
    }
    return fake as unknown as Shard
  }
  const shards = new Map([
    [OWN, shard(true)],
    [LED_ELSEWHERE, shard(false)],
  ])
  const wire: Connection = {
    remote: 'a client',
    bufferedBytes: 0,
    send: (frame) => void sent.push(frame.slice()),
    close: () => void sent.push(bytes('closed')),
  }
  const connection = new ClientConnection(wire, {
    turn,
    identity: () => ({ name: 'n1', boot: 1, clusterId: map.clusterId }),
    map: () => map,
    shard: (group) => shards.get(group) ?? null,
    assigned: () => false,
    leaderHint: (group) => (group === LED_ELSEWHERE ? 'n2:7400' : null),
    statusJson: () => '{}',
    counts: new RequestCounts(),
    now: () => NOW,
    budget: new RequestBudget({ requests: 100, bytes: 100_000 }),
    admin: null,
  })
  const version = { protocolMin: PROTOCOL_VERSION_MIN, protocolMax: PROTOCOL_VERSION_MAX }
  connection.receive(encodeClientFrame({ type: 'hello', ...version, clusterId: null, features: 0 }))
  return {
    connection,
    ask: (frames) => {
      for (const requests of frames) {
        const frame = encodeClientFrame({ type: 'requests', mapEpoch: 1, requests })
        connection.receive(frame)
        // It is only lent: the next one may be where it was.
        if (frames.length > 1) frame.fill(0xdb)
      }
    },
    settle: (order) => {
      for (const place of order)
        for (const answer of open.splice(place % Math.max(1, open.length), 1)) answer()
      for (const answer of open.splice(0)) answer()
      for (const callback of endOfTurn.splice(0)) callback()
      const replies = new Map<number, Omit<ClientReply, 'requestId'>[]>()
      for (const frame of sent.splice(0)) {
        const decoded = decodeServerFrame(frame)
        if (decoded.type !== 'replies') continue
        for (const { requestId, ...reply } of decoded.replies)
          replies.set(requestId, [...(replies.get(requestId) ?? []), reply])
      }
      return replies
    },
  }
}

const asked: fc.Arbitrary<Asked> = fc.record({
  kind: fc.constantFrom('read', 'set', 'del', 'close', 'rubbish', 'otherGroup', 'tooLate'),
  group: fc.constantFrom(OWN, OWN, OWN, LED_ELSEWHERE, UNKNOWN),
  size: fc.integer({ min: 1, max: 30 }),
})

type Reply = Omit<ClientReply, 'requestId'>

it('E11: a request is answered as it is alone, whatever came before it or in its frame, refused or not, and once', () => {
  const known = new Map<string, readonly Reply[] | undefined>()
  const alone = (one: Asked): readonly Reply[] | undefined => {
    const name = JSON.stringify(one)
    if (!known.has(name)) {
      const connection = connected()
      connection.ask([[requestOf(one, 1)]])
      known.set(name, connection.settle([]).get(1))
    }
    return known.get(name)
  }
  fc.assert(
    fc.property(
      fc.array(fc.array(asked, { minLength: 1, maxLength: 6 }), { minLength: 1, maxLength: 12 }),
      fc.array(fc.nat(50), { maxLength: 40 }),
      (frames, order) => {
        let requestId = 0
        const together = connected()
        together.ask(frames.map((frame) => frame.map((one) => requestOf(one, (requestId += 1)))))
        const replies = together.settle(order)
        for (const [at, one] of frames.flat().entries()) {
          expect(alone(one)).toHaveLength(1)
          expect(replies.get(at + 1)).toEqual(alone(one))
        }
        // Nothing is left of them: no place, no bytes.
        expect(together.connection.idleSince).not.toBe(null)
      },
    ),
    { numRuns: 100 },
  )
  const seen = [...known.values()].flatMap((replies) => replies ?? [])
  expect(
    [
      ...new Set(seen.map((reply) => ('code' in reply ? `${reply.type} ${String(reply.code)}` : reply.type))),
    ].toSorted(),
  ).toEqual([
    'answers',
    'open NOT_LEADER',
    'refused BAD_FRAME',
    'refused LATE',
    'refused NOT_LEADER',
    'refused WRONG_SHARD',
  ])
})
