// The search for any model: Wing and Gong 1993 (try every operation that may come first, turn back where none fits), with
// Lowe's memo (2017, section 3) of situations that have been tried.
//
// A situation is the state and which operations are explained. Of those that certainly happened everything called before the
// latest explained one is explained too, but for a few that were all open when that one was called: so the situation is the
// latest one and that short list, no matter how long the history is. Those that may have happened are a set of their own.
import { REFUSED } from '../models/model.ts'
import type { Budget } from './budget.ts'
import { EventList } from './event-list.ts'
import { EMPTY_SET, IndexSets } from './index-sets.ts'
import { Memo } from './memo.ts'
import { type Finding, isOpen, type Problem } from './problem.ts'
import { ValueCounts } from './value-counts.ts'

export function search(problem: Problem, budget: Budget): Finding {
  return new Search(problem).run(budget)
}

/** Where in the list of candidates of one situation the search stands. */
interface Cursor {
  /** The next call to try, or the return that ends the certain candidates. */
  node: number
  /** The next of the open operations to try; they come behind the certain ones. */
  open: number
}

class Search {
  readonly #problem: Problem
  readonly #certain: Int32Array
  readonly #open: Int32Array
  /** For each open operation the one before it that does the same: of two such only the earlier is tried. */
  readonly #twin: Int32Array
  readonly #openTaken: Uint8Array
  readonly #events: EventList
  readonly #sets: IndexSets
  readonly #memo = new Memo()
  readonly #counts: ValueCounts | null
  readonly #tuple: Int32Array
  /** What was taken, and the situation before: operations of `#certain` as they are, of `#open` as `~number`. */
  readonly #taken: Int32Array
  readonly #states: Int32Array
  readonly #latests: Int32Array
  readonly #openSets: Int32Array
  #depth = 0
  #state: number
  #latest = -1
  #openSet = EMPTY_SET

  constructor(problem: Problem) {
    const { operations, initial, effects } = problem
    const indexes = Int32Array.from(operations.keys())
    const openAt = (index: number) => operations[index] !== undefined && isOpen(operations[index])
    this.#problem = problem
    this.#state = initial
    this.#certain = indexes.filter((index) => !openAt(index))
    this.#open = indexes.filter((index) => openAt(index))
    this.#twin = twins(problem, this.#open)
    this.#openTaken = new Uint8Array(this.#open.length)
    this.#events = new EventList(operations.filter((operation) => !isOpen(operation)))
    this.#sets = new IndexSets(this.#open.length)
    this.#counts = effects === undefined ? null : new ValueCounts(problem, effects.of, effects.values)
    this.#tuple = new Int32Array(this.#certain.length + 3)
    this.#taken = new Int32Array(operations.length)
    this.#states = new Int32Array(operations.length)
    this.#latests = new Int32Array(operations.length)
    this.#openSets = new Int32Array(operations.length)
  }

  run(budget: Budget): Finding {
    const events = this.#events
    const cursor: Cursor = { node: events.first(), open: 0 }
    while (events.first() !== events.end) {
      if (budget.spend()) return { kind: 'unknown', reason: budget.exhausted ?? '' }
      if (this.#memo.full) return { kind: 'unknown', reason: 'out of memory for what was tried' }
      if (this.#tryNext(cursor)) {
        cursor.node = events.first()
        cursor.open = 0
      } else if (cursor.open === this.#open.length && !events.isCall(cursor.node)) {
        if (this.#depth === 0) return { kind: 'illegal' }
        this.#turnBack(cursor)
      }
    }
    return { kind: 'order', order: this.#order() }
  }

  /** Tries one candidate and moves the cursor behind it. */
  #tryNext(cursor: Cursor): boolean {
    const events = this.#events
    if (events.isCall(cursor.node)) {
      const operation = events.operationOf(cursor.node)
      cursor.node = events.after(cursor.node)
      return this.#take(operation, this.#certain[operation] ?? 0)
    }
    // Behind the first return come calls that this return precedes.
    const ends = this.#problem.operations[this.#certain[events.operationOf(cursor.node)] ?? 0]?.return ?? 0
    const operation = cursor.open
    const index = this.#open[operation]
    if (index === undefined || (this.#problem.operations[index]?.call ?? 0) > ends) {
      cursor.open = this.#open.length
      return false
    }
    cursor.open += 1
    if (this.#openTaken[operation] === 1) return false
    const twin = this.#twin[operation] ?? -1
    if (twin >= 0 && this.#openTaken[twin] === 0) return false
    if (this.#counts?.isUseful(index) === false) return false
    return this.#take(~operation, index)
  }

  #take(taken: number, index: number): boolean {
    const before = this.#state
    const next = this.#problem.step(before, index)
    if (next === REFUSED) return false
    // What need not have happened and changes nothing need not be told.
    if (taken < 0 && next === before) return false
    const depth = this.#depth
    this.#taken[depth] = taken
    this.#states[depth] = before
    this.#latests[depth] = this.#latest
    this.#openSets[depth] = this.#openSet
    this.#depth = depth + 1
    this.#state = next
    this.#counts?.take(index)
    if (taken >= 0) {
      this.#events.lift(taken)
      this.#latest = Math.max(this.#latest, taken)
    } else {
      this.#openTaken[~taken] = 1
      this.#openSet = this.#sets.add(this.#openSet, ~taken)
    }
    if (this.#counts?.mayLeave(before, next) !== false && this.#isNew()) return true
    this.#undo()
    return false
  }

  #isNew(): boolean {
    const tuple = this.#tuple
    tuple[0] = this.#state
    tuple[1] = this.#openSet
    tuple[2] = this.#latest
    let length = 3
    for (let node = this.#events.first(); node !== this.#events.end; node = this.#events.after(node)) {
      if (!this.#events.isCall(node)) continue
      const operation = this.#events.operationOf(node)
      if (operation > this.#latest) break
      tuple[length] = operation
      length += 1
    }
    return this.#memo.add(tuple, length)
  }

  /** Gives back what was taken last. */
  #undo(): number {
    this.#depth -= 1
    const depth = this.#depth
    const taken = this.#taken[depth] ?? 0
    this.#state = this.#states[depth] ?? 0
    this.#latest = this.#latests[depth] ?? 0
    this.#openSet = this.#openSets[depth] ?? 0
    if (taken >= 0) this.#events.unlift(taken)
    else this.#openTaken[~taken] = 0
    this.#counts?.putBack((taken >= 0 ? this.#certain[taken] : this.#open[~taken]) ?? 0)
    return taken
  }

  #turnBack(cursor: Cursor): void {
    const taken = this.#undo()
    const events = this.#events
    if (taken >= 0) {
      cursor.node = events.after(1 + 2 * taken)
      cursor.open = 0
      return
    }
    cursor.node = events.first()
    while (events.isCall(cursor.node)) cursor.node = events.after(cursor.node)
    cursor.open = ~taken + 1
  }

  #order(): Int32Array {
    return this.#taken
      .subarray(0, this.#depth)
      .map((taken) => (taken >= 0 ? this.#certain[taken] : this.#open[~taken]) ?? 0)
  }
}

function twins(problem: Problem, open: Int32Array): Int32Array {
  const latest = new Map<string, number>()
  return open.map((index, operation) => {
    const likeness = problem.likeness(index)
    const twin = latest.get(likeness) ?? -1
    latest.set(likeness, operation)
    return twin
  })
}
