// A binary heap of events, ordered by (time, sequence number): events of equal time run in the order they were made.

export interface HeapEvent {
  readonly timeMs: number
  readonly sequence: number
}

export class EventHeap<Event extends HeapEvent> {
  readonly #events: Event[] = []

  get size(): number {
    return this.#events.length
  }

  peek(): Event | undefined {
    return this.#events[0]
  }

  push(event: Event): void {
    const events = this.#events
    events.push(event)
    let index = events.length - 1
    while (index > 0) {
      const parentIndex = (index - 1) >> 1
      const parent = events[parentIndex]
      if (parent === undefined || before(parent, event)) break
      events[index] = parent
      index = parentIndex
    }
    events[index] = event
  }

  pop(): Event | undefined {
    const events = this.#events
    const first = events[0]
    const last = events.pop()
    if (last === undefined || events.length === 0) return first
    let index = 0
    for (;;) {
      let childIndex = 2 * index + 1
      let child = events[childIndex]
      if (child === undefined) break
      const right = events[childIndex + 1]
      if (right !== undefined && before(right, child)) {
        childIndex += 1
        child = right
      }
      if (before(last, child)) break
      events[index] = child
      index = childIndex
    }
    events[index] = last
    return first
  }
}

function before(left: HeapEvent, right: HeapEvent): boolean {
  return left.timeMs < right.timeMs || (left.timeMs === right.timeMs && left.sequence < right.sequence)
}
