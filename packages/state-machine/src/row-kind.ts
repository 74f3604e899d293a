/** Kinds of rows in the store, in the order in which a restore meets them. Part of the disk format. */
export const rowKind = {
  /** State and statistics of a slot. */
  slot: 1,
  /** A client's session with its stored answers. */
  session: 2,
  /** A user's entry. */
  entry: 3,
} as const
