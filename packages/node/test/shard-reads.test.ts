// Reads whose rows come from the store: what counts only if nothing has changed meanwhile (rule 27).
import type { Answer, ErrorCode } from '@quorate/protocol'
import type { ReadStep, ShardState } from '@quorate/state-machine'
import type { StateStore } from '@quorate/storage'
import { expect, it } from 'vitest'
import type { ReplicaHost } from '../src/replica/host.ts'
import type { Replica } from '../src/replica/replica.ts'
import { Shard } from '../src/replica/shard.ts'
import type { StateHashes } from '../src/replica/state-hashes.ts'

const found: readonly Answer[] = []

/** Asks the store once, then knows. */
function stateOf(): Partial<ShardState> {
  const fetch = { type: 'fetch', ticket: {}, rows: [] } as unknown as ReadStep
  return {
    clock: 0,
    appliedIndex: 5,
    beginRead: () => fetch,
    completeRead: () => ({ type: 'answers', answers: found }),
  }
}

/** A confirmed read of a leader that waits for its rows; `arrive` brings them. */
function waitingRead() {
  const arrivals: (() => void)[] = []
  const replica = {
    group: 1,
    generation: 1,
    condition: 'live',
    isLeader: true,
    state: stateOf(),
    leaderTime: () => 0,
    step: () => {},
  }
  const host = {
    turn: { at: (_phase: string, run: () => void) => run() },
    store: {
      getMany: () => new Promise((resolve) => arrivals.push(() => resolve([]))),
    } as unknown as StateStore,
    nextReadRound: () => 1,
    readsWait: () => {},
    readsEnded: () => {},
  }
  const shard = new Shard(
    host as unknown as ReplicaHost,
    replica as unknown as Replica,
    {} as unknown as StateHashes,
  )
  const outcome = new Promise<readonly Answer[] | ErrorCode>((resolve) => {
    shard.read({ keys: [Uint8Array.of(1)], answers: resolve, refused: resolve })
  })
  shard.readsConfirmed(1, 5)
  expect(arrivals).toHaveLength(1)
  return { replica, outcome, arrive: () => arrivals[0]?.() }
}

it('rows answer a read of the state that asked for them', async () => {
  const { outcome, arrive } = waitingRead()
  arrive()
  expect(await outcome).toBe(found)
})

it('rows of a state that a snapshot has replaced meanwhile answer nothing (rule 27)', async () => {
  const { replica, outcome, arrive } = waitingRead()
  replica.state = stateOf()
  arrive()
  expect(await outcome).toBe('NOT_LEADER')
})

it('rows that come when the replica is stopped or condemned answer nothing', async () => {
  const { replica, outcome, arrive } = waitingRead()
  replica.condition = 'condemned'
  arrive()
  expect(await outcome).toBe('REPLICA_STOPPED')
})
