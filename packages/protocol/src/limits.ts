/** Limits and times that two processes must agree on or that several parts relate to (architecture.md, section 7). */
export const limits = {
  keyBytes: 1024,
  /** 1 MiB. */
  valueBytes: 1_048_576,
  /** Commands in one section: a batch call of the client is cut to this. */
  sectionCommands: 1000,
  /** 3 MiB: one section; with the frame and entry around it, it still fits an append to a peer. */
  sectionBytes: 3_145_728,
  /** 12 MiB: of a bounded cluster for each shard at least; with less the largest section would find no room, however much is evicted. */
  shardBytesMin: 12_582_912,
  /** One log entry; a first command is admitted whatever its size. */
  entryBytes: 1_048_576,
  /** 4 MiB. */
  frameBytes: 4_194_304,
  /** 64 MiB: appends sent to a node and not yet synced in its log. */
  appendCreditBytes: 67_108_864,
  /** Chunks of one snapshot that its receiver keeps in front of the next one. */
  snapshotChunksAhead: 16,
  heartbeatMs: 50,
  electionTimeoutMsMin: 300,
  electionTimeoutMsMax: 600,
  checkQuorumMs: 600,
  clockSkewMs: 500,
  sessionWindow: 1024,
  /** Ten minutes of log clock. */
  sessionIdleMs: 600_000,
  sessionsPerShard: 100_000,
  /** Ten years: the log clock plus a time to live stays a safe integer for ever. */
  ttlMs: 315_576_000_000,
  /** Entries that one `sweep` removes at most. */
  sweepEntries: 1000,
  /** Entries that one `evict` names at most. */
  evictEntries: 1000,
  storedAnswerBytes: 1024,
  /** 64 MiB. */
  storedAnswersBytesPerShard: 67_108_864,
  operationTimeoutMsDefault: 5_000,
  operationTimeoutMsMax: 60_000,
  /** 2^52: terms and log indexes end long before the last safe integer, so that nothing is ever counted beyond it. */
  termMax: 4_503_599_627_370_496,
  logIndexMax: 4_503_599_627_370_496,
  /** 2^32: a term of a replica's own era or of the next is believed; 80 years of an election every 600 ms. */
  termsPerEra: 4_294_967_296,
  /** 2^52 ms of log clock. */
  logTimeMsMax: 4_503_599_627_370_496,
  slots: 16_384,
  /** Replicas in one list of a configuration, and of one group in the map. */
  configurationReplicas: 64,
  /** 3.5 MiB: a whole shard map, which has to fit a frame with a welcome around it. */
  mapBytes: 3_670_016,
  /** Nodes in the shard map. */
  mapNodes: 4096,
  /** Removed directories that the shard map remembers. */
  mapRemoved: 1024,
  /** A node's name, in UTF-8. */
  nameBytes: 255,
  /** `host:port`, in UTF-8. */
  addressBytes: 512,
  /** A text for people in a frame, in UTF-8. */
  messageBytes: 4096,
} as const
