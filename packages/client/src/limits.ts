// Numbers of the client alone; what two processes share is in the protocol's `limits`.

/** Operations under way in one client; one more is refused as `OVERLOADED`, not done. */
export const OUTSTANDING_OPERATIONS_MAX = 100_000
/** Keys and values of operations under way, 256 MiB: what a client may pile up in memory while nobody answers. */
export const OUTSTANDING_BYTES_MAX = 268_435_456
/** An attempt waits this part of its operation's deadline; then it is open and the next begins (sessions.md). */
export const ATTEMPTS_PER_DEADLINE = 3
/** Retries that may follow each other without a pause (a redirect, a closed socket) before one has to pause. */
export const PROMPT_RETRIES_MAX = 3
/** A pause before a retry is drawn from this range, so that clients which failed together do not return together, ms. */
export const BACKOFF_MS_MIN = 20
export const BACKOFF_MS_MAX = 100
/** A node that has not said welcome by then is given up, ms. */
export const WELCOME_TIMEOUT_MS = 1_500
/** A connection on which nothing came for this long after a request left may be given up, ms: shorter proves nothing. */
export const SILENCE_MS_MIN = 500
/** While connecting, the next endpoint is tried beside the silent one after this long, ms. */
export const CONNECT_STAGGER_MS = 250
/** The map is asked for at most this often, ms: during a move every reply may say that the map is old. */
export const MAP_REFRESH_MS_MIN = 100
/** `close` waits this long for nodes to take note of closed sessions, ms; they would expire anyway. */
export const CLOSE_SESSIONS_MS = 500
/** Bytes of a frame that sections leave to the frame's own fields. */
export const FRAME_OVERHEAD_BYTES = 4_096
/** A replica that failed a stale read is asked behind all others for so long, ms. */
export const NEAR_RETRY_MS = 1_000
/** How fast a replica answers is measured anew after so long, ms: networks change. */
export const NEAR_FORGET_MS = 10_000
/** What a new measurement adds to the old ones. */
export const NEAR_SMOOTHING = 0.2
/** Steps of deadlines, ms: an operation ends at most this much after its deadline. */
export const WHEEL_STEP_MS = 4
/**
 * Memory for what operations of one shard will say, bytes: a chunk that was too small for what is under way is followed by one
 * of twice its size, up to this; what is larger gets its own.
 */
export const DRAFT_CHUNK_BYTES_MIN = 4_096
export const DRAFT_CHUNK_BYTES_MAX = 65_536
/** How often `update` tries, and how often it may be told to try. */
export const UPDATE_ATTEMPTS_DEFAULT = 16
export const UPDATE_ATTEMPTS_MAX = 1_000
/** After the nth lost try `update` waits up to n times this, ms. */
export const UPDATE_PAUSE_MS = 10
/** How long others may be told to leave the loading of a value to the one who began it, ms. */
export const FILL_LEASE_MS_MAX = 60_000
/** Who waits for another's loader looks again after a time drawn from this range, ms. */
export const FILL_PAUSE_MS_MIN = 20
export const FILL_PAUSE_MS_MAX = 60
/** A client that could not load a stale value anew leaves it for so long, ms. */
export const REVALIDATE_PAUSE_MS = 1_000
