// The founder's own note: which cluster it is about to form. Durable before the cluster exists, so that a crash in between goes on.
import { BadFrameError } from '@quorate/protocol'
import type { Storage } from '@quorate/storage'
import { Packr } from 'msgpackr'
import type { Founding } from './meta/controller.ts'
import { nodeArray, nodeOf } from './meta/meta-command.ts'

/** Name of the file in the data directory. */
const FOUNDING_FILE = 'founding'
const packr = new Packr({ useRecords: false })

export async function writeFounding(storage: Storage, founding: Founding): Promise<void> {
  const { clusterId, nodes, shards, replicas, bytesMax } = founding
  const note = [1, clusterId, nodes.map(nodeArray), shards, replicas, bytesMax]
  await storage.writeFile(FOUNDING_FILE, packr.pack(note))
}

/** Null where this node founded nothing. Throws `BadFrameError` on a damaged note. */
export function readFounding(storage: Storage): Founding | null {
  const bytes = storage.readFile(FOUNDING_FILE)
  if (bytes === null) return null
  const decoded: unknown = packr.unpack(bytes)
  if (!Array.isArray(decoded)) throw new BadFrameError('the founding note is no array')
  const [format, clusterId, nodes, shards, replicas, bytesMax = 0] = decoded as unknown[]
  if (
    format !== 1 ||
    typeof clusterId !== 'string' ||
    !Array.isArray(nodes) ||
    typeof shards !== 'number' ||
    typeof replicas !== 'number' ||
    typeof bytesMax !== 'number'
  )
    throw new BadFrameError('the founding note has another format')
  return { clusterId, nodes: nodes.map(nodeOf), shards, replicas, bytesMax }
}
