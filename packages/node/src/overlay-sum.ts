// Bytes of changed entries in memory over all groups, kept as they change: asked at every write.
export class OverlaySum {
  readonly #byGroup = new Map<number, number>()
  #bytes = 0

  get bytes(): number {
    return this.#bytes
  }

  /** The group now keeps `bytes`; 0 for one that is gone. */
  note(group: number, bytes: number): void {
    this.#bytes += bytes - (this.#byGroup.get(group) ?? 0)
    if (bytes === 0) this.#byGroup.delete(group)
    else this.#byGroup.set(group, bytes)
  }
}
