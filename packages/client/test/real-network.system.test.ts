import { decodeClientFrame, encodeServerFrame } from '@quorate/protocol'
import { createWebSocketNetwork } from '@quorate/transport'
import { expect, test } from 'vitest'
import { connect } from '../src/index.ts'
import { CLUSTER_ID } from './fake-cluster.ts'

test('a client without an injected runtime speaks WebSocket in real time', async () => {
  let clientAddress = ''
  const listener = await createWebSocketNetwork().listen('127.0.0.1:0', (connection) => ({
    frame: (bytes) => {
      const frame = decodeClientFrame(bytes)
      if (frame.type === 'hello') {
        const node = 'a'.repeat(32)
        const replicas = [{ incarnation: 1, node }]
        const map = {
          clusterId: CLUSTER_ID,
          epoch: 3,
          nodes: [{ dirId: node, name: 'n1', peerAddress: '127.0.0.1:1', clientAddress }],
          nextIncarnation: 2,
          leaving: [],
          removed: [],
          bytesMax: 0,
          groups: [
            { group: 0, replicas, founders: [], change: null, foundedAt: 0 },
            { group: 1, replicas, founders: [1], change: null, foundedAt: 2 },
          ],
          slots: new Uint32Array(16_384).fill(1),
        }
        connection.send(
          encodeServerFrame({
            type: 'welcome',
            protocol: 1,
            clusterId: CLUSTER_ID,
            node: 'n1',
            boot: 1,
            features: 0,
            map,
          }),
        )
      }
      if (frame.type !== 'requests') return
      const replies = frame.requests.map(({ requestId }) => ({
        type: 'answers' as const,
        requestId,
        leaderTime: 5,
        answers: [
          {
            type: 'applied' as const,
            position: { epoch: 3, version: 9, t: 5 },
            result: {
              type: 'entry' as const,
              version: 9,
              value: { type: 'integer' as const, integer: 42 },
              expiresAt: 0,
            },
          },
        ],
      }))
      connection.send(encodeServerFrame({ type: 'replies', mapEpoch: 3, replies }))
    },
    closed: () => undefined,
  }))
  clientAddress = listener.address
  {
    await using cache = await connect(`quorate://${listener.address}`)
    expect(await cache.getEntry('key')).toEqual({ value: 42, version: 9, expiresAt: undefined })
  }
  await listener.close()
})
