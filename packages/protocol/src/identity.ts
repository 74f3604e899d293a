/** 32 lower-case hex digits: a random identity of a cluster. */
export type ClusterId = string
/** 32 lower-case hex digits: the identity of a data directory, written before anything else in it. */
export type DirId = string
/** A Raft group. 0 is the meta group; shards count from 1 and are never reused. */
export type GroupId = number

/** The meta group: nodes, shard map, epochs. */
export const META_GROUP: GroupId = 0
