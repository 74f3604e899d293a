// Every number of the write-ahead log in one place.

/** Batches start and end on it: a torn write never touches an older batch, a scan finds the next one. */
export const BLOCK_BYTES = 4096
/** Default size of a segment. */
export const SEGMENT_BYTES: number = 64 * 1024 * 1024
export const SEGMENT_BYTES_MIN: number = 64 * 1024
/**
 * The first segment of a boot is at most this long: its zeros are what a restart waits for. Zeros are written and synced
 * in slices of at most as much as this as well, so that they never hold up the log's own syncs for long.
 */
export const BOOT_SEGMENT_BYTES: number = 4 * 1024 * 1024
export const ZERO_SLICE_BYTES: number = 1024 * 1024
/** One batch, at least one record whatever its size. What is queued beyond goes into further batches of the same sync. */
export const BATCH_BYTES_MAX: number = 4 * 1024 * 1024
/** Entries kept in memory over all groups; what is not yet written is kept beyond it. */
export const TAIL_BYTES_MAX: number = 32 * 1024 * 1024
/** What an entry occupies in memory besides its payload, for the limit above. */
export const ENTRY_COST_BYTES = 120
/** After the last batch has been synced, so that the next recovery knows that it was. */
export const IDLE_MARKER_MS = 10
/** Of each segment's bytes this part may be spent on records written again. */
export const REWRITE_PART = 0.25
/** And at most this many records at once: each is a synchronous read. */
export const REWRITE_RUNS_MAX = 4096
/** Written again only once the log is this many segments longer than it should be: compaction comes first. */
export const REWRITE_AFTER_SEGMENTS = 2
/** Zeros kept as a file, given back when space runs out, so that a checkpoint can still free log. */
export const BALLAST_BYTES: number = 16 * 1024 * 1024
/** Below this much free space (on small images two segments) clients are refused what needs space. */
export const LOW_SPACE_BYTES: number = 1024 * 1024 * 1024
/** Free space is asked for at most this often. */
export const SPACE_CHECK_MS = 1000
/** A record is refused beyond it; the largest is one Raft entry of a few MiB. */
export const RECORD_BYTES_MAX: number = 256 * 1024 * 1024
