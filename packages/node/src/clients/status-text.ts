// The status document as text that fits one frame: a node with very many shards tells of as many as fit, and how many not.
import type { NodeStatus } from '../status.ts'

/** JSON of at most `bytesMax` bytes in UTF-8. What is in trouble is told first. */
export function statusText(status: NodeStatus, bytesMax: number): string {
  const whole = JSON.stringify(status)
  if (Buffer.byteLength(whole) <= bytesMax) return whole
  const { nodes, shards } = status
  const counted = {
    ...status,
    nodes: [],
    shards: [],
    omitted: { nodes: nodes.length, shards: shards.length },
  }
  let left = bytesMax - Buffer.byteLength(JSON.stringify(counted))
  const shownNodes = fitting(nodes, left / 2)
  left -= Buffer.byteLength(JSON.stringify(shownNodes))
  const troubled = shards.filter(({ state }) => state !== 'live')
  const shownShards = fitting([...troubled, ...shards.filter(({ state }) => state === 'live')], left)
  return JSON.stringify({
    ...counted,
    nodes: shownNodes,
    shards: shownShards.toSorted((one, other) => one.group - other.group),
    omitted: { nodes: nodes.length - shownNodes.length, shards: shards.length - shownShards.length },
  })
}

/** The first of the items that are together at most `bytes` long. */
function fitting<T>(items: readonly T[], bytes: number): T[] {
  let left = bytes
  const end = items.findIndex((item) => {
    left -= Buffer.byteLength(JSON.stringify(item)) + 1
    return left < 0
  })
  return end === -1 ? [...items] : items.slice(0, end)
}
