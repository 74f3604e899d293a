// Asks a node for a change of members, over the client port of one that was started with `--allow-test-admin`.
import {
  type AdminRequest,
  decodeServerFrame,
  encodeClientFrame,
  PROTOCOL_VERSION_MAX,
  PROTOCOL_VERSION_MIN,
} from '@quorate/protocol'
import { createWebSocketNetwork } from '@quorate/transport'

const TIMEOUT_MS = 5_000

export interface AdminAnswer {
  /** Id of the change; null where it was refused for `reason`. */
  readonly change: number | null
  readonly reason: string
}

/** Rejects where the node cannot be reached or says nothing in time: then the outcome is unknown. */
export function askForChange(clientAddress: string, request: AdminRequest): Promise<AdminAnswer> {
  return new Promise((resolve, reject) => {
    const ended = (end: () => void): void => {
      clearTimeout(timer)
      connection.close()
      end()
    }
    const timer = setTimeout(
      () => ended(() => reject(new Error(`${clientAddress} did not answer`))),
      TIMEOUT_MS,
    )
    const connection = createWebSocketNetwork().dial(clientAddress, {
      opened: () => {
        const version = { protocolMin: PROTOCOL_VERSION_MIN, protocolMax: PROTOCOL_VERSION_MAX }
        connection.send(encodeClientFrame({ type: 'hello', ...version, clusterId: null, features: 0 }))
      },
      frame: (bytes) => {
        const frame = decodeServerFrame(bytes)
        if (frame.type === 'welcome')
          connection.send(encodeClientFrame({ type: 'admin', requestId: 1, request }))
        else if (frame.type === 'admin') ended(() => resolve({ change: frame.change, reason: frame.reason }))
      },
      closed: (reason) => ended(() => reject(new Error(`${clientAddress}: ${reason}`))),
    })
  })
}
