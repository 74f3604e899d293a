// Which replicas have caught up in this life of the process: before that they may lack what they showed in the last one.

/**
 * By incarnation the first commit index that is known to cover all that was committed when it was told. What the replica
 * showed before a crash lies below it: its leader's term is not below any that the replica's disk remembers.
 */
export class FirstCommits {
  readonly #first = new Map<number, number>()

  /** `commitIndex`: not capped, by the leader whose term is the replica's, itself included. */
  told(incarnation: number, commitIndex: number): void {
    if (!this.#first.has(incarnation)) this.#first.set(incarnation, commitIndex)
  }

  reached(incarnation: number, appliedIndex: number): boolean {
    return appliedIndex >= (this.#first.get(incarnation) ?? Infinity)
  }
}
