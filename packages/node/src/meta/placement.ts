// Where slots and replicas go: weighted rendezvous hashing with bounded load (architecture.md, section 5). Pure.
import { limits } from '@quorate/protocol'

/** A well-mixed 32-bit hash of two integers (murmur3's finaliser over a combination): the same on every node for ever. */
export function score(left: number, right: number): number {
  let hash = Math.imul(left + 0x9e3779b9, 0x85ebca6b) ^ Math.imul(right + 0x7f4a7c15, 0xc2b2ae35)
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}

/** Shard of every slot: the shard with the highest score for it; ties go to the lower id. */
export function placeSlots(shards: readonly number[]): Uint32Array {
  const slots = new Uint32Array(limits.slots)
  for (let slot = 0; slot < slots.length; slot += 1) {
    let best = -1
    for (const shard of shards) {
      const value = score(slot, shard)
      if (value > best) {
        best = value
        slots[slot] = shard
      }
    }
  }
  return slots
}

/**
 * Nodes (by position 0..nodes-1) for the replicas of every shard: the best scores first, but no node gets more than its
 * fair share rounded up. With as many nodes as replicas, every node hosts every shard.
 */
export function placeReplicas(shards: readonly number[], nodes: number, replicas: number): number[][] {
  const count = Math.min(replicas, nodes)
  const most = Math.ceil((shards.length * count) / nodes)
  const load = Array.from({ length: nodes }, () => 0)
  return shards.map((shard, at) => {
    const left = shards.length - at
    const room = (node: number): number => most - (load[node] ?? 0)
    const order = load
      .map((_, node) => node)
      .toSorted((one, other) => score(shard, other + 1) - score(shard, one + 1) || one - other)
    // A node with room for every shard that is left must take this one, or the bound could not hold for the last shards.
    const forced = order.filter((node) => room(node) >= left)
    const free = order.filter((node) => room(node) < left && room(node) > 0)
    const chosen = [...forced, ...free].slice(0, count)
    for (const node of chosen) load[node] = (load[node] ?? 0) + 1
    return chosen
  })
}
