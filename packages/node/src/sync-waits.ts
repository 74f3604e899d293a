// Promises for tickets of the log: resolved in order when the log is synced that far, rejected when the node ends.
interface Wait {
  readonly ticket: number
  readonly resolve: () => void
  readonly reject: (error: Error) => void
}

export class SyncWaits {
  #waits: Wait[] = []
  #synced = 0
  #ended: Error | null = null

  /** Resolves at once for a ticket that is already synced; rejects if the node ends before. */
  wait(ticket: number): Promise<void> {
    if (ticket <= this.#synced) return Promise.resolve()
    if (this.#ended !== null) return Promise.reject(this.#ended)
    return new Promise((resolve, reject) => this.#waits.push({ ticket, resolve, reject }))
  }

  synced(ticket: number): void {
    this.#synced = ticket
    const done = this.#waits.filter((wait) => wait.ticket <= ticket)
    this.#waits = this.#waits.filter((wait) => wait.ticket > ticket)
    for (const { resolve } of done) resolve()
  }

  /** No sync will be heard of any more: nobody may wait for one for ever, or the node could not end. */
  end(reason: Error): void {
    this.#ended = reason
    const waits = this.#waits
    this.#waits = []
    for (const { reject } of waits) reject(reason)
  }
}
