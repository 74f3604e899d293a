/**
 * A replica within its group, named by its incarnation: a positive safe integer minted by the meta group for one data
 * directory and used once. Node names and addresses are the host's business.
 */
export type ReplicaId = number

/**
 * Membership (Raft dissertation 4.3, joint consensus). While `outgoing` is not empty, elections, commitment and read
 * confirmation need a majority of `voters` and a majority of `outgoing`. Lists are sorted and without repetition;
 * `learners` is disjoint from both voter lists; `learnersNext` holds outgoing voters that become learners on leaving.
 */
export interface Configuration {
  readonly voters: readonly ReplicaId[]
  readonly outgoing: readonly ReplicaId[]
  readonly learners: readonly ReplicaId[]
  readonly learnersNext: readonly ReplicaId[]
}
