/** Kinds of rows in the store, in the order in which a restore meets them. Part of the disk format. */
export const rowKind = {
  /** Who owns the shard's slots: one row. */
  ownership: 1,
  /** What a slot holds: its entries counted and hashed. */
  slot: 2,
  /** A client's session with its stored answers. */
  session: 3,
  /** A user's entry. */
  entry: 4,
  /** That an entry has a deadline: the index in (deadline, key) order. */
  deadline: 5,
} as const
