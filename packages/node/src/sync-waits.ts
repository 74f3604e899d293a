// Promises for tickets of the log: resolved in order when the log is synced that far.
export class SyncWaits {
  readonly #waits: { readonly ticket: number; readonly resolve: () => void }[] = []
  #synced = 0

  /** Resolves at once for a ticket that is already synced; never after a halt. */
  wait(ticket: number): Promise<void> {
    if (ticket <= this.#synced) return Promise.resolve()
    return new Promise((resolve) => this.#waits.push({ ticket, resolve }))
  }

  synced(ticket: number): void {
    this.#synced = ticket
    const left = this.#waits.filter((wait) => wait.ticket > ticket)
    const done = this.#waits.filter((wait) => wait.ticket <= ticket)
    this.#waits.splice(0, this.#waits.length, ...left)
    for (const { resolve } of done) resolve()
  }
}
