// One direction of a connection in memory: what is sent at one end comes out at the other, later.
import type { Timer, Timers } from '@quorate/runtime'
import type { Faults } from './faults.ts'

export interface Pipe {
  /** Returns false if the frame is lost for good on a stream: the connection must break. */
  send(frame: Uint8Array): boolean
  /** Runs after everything that was sent before it on a stream. */
  finish(arrived: () => void): void
  /** A partition may have healed. */
  resume(): void
  /** Nothing more comes out. */
  stop(): void
  /** Forgets the frames under way, not the end. */
  lose(): void
  /** Bytes held back by a partition. */
  readonly heldBytes: number
}

interface Item {
  readonly bytes: number
  /** Set when its delay has passed. */
  due: boolean
  readonly deliver: () => void
}

export interface PipeOptions {
  readonly faults: Faults
  readonly timers: Timers
  readonly from: string
  readonly to: string
  readonly scribble: boolean
  /** This direction of this connection alone is severed. */
  readonly isHoled: () => boolean
  readonly receive: (frame: Uint8Array) => void
}

/** What overwrites a frame's bytes after its receiver returned. */
const SCRIBBLE = 0xdb

export function createPipe(options: PipeOptions): Pipe {
  const { faults, timers, from, to } = options
  // Frames on a stream, in order; the first waits for its delay and for the partition to end.
  let queue: Item[] = []
  const armed = new Set<Timer>()
  let stopped = false

  const isSevered = (): boolean => faults.isSevered(from, to) || options.isHoled()
  const hand = (copy: Uint8Array): void => {
    options.receive(copy)
    if (options.scribble) copy.fill(SCRIBBLE)
  }
  const later = (delayMs: number, callback: () => void): void => {
    const timer = timers.after(delayMs, () => {
      armed.delete(timer)
      if (!stopped) callback()
    })
    armed.add(timer)
  }
  const drain = (): void => {
    // Each delivery may change everything: stop the pipe, partition its hosts.
    for (let head = queue[0]; head?.due === true && !isSevered(); head = queue[0]) {
      queue.shift()
      head.deliver()
    }
  }
  const enqueue = (bytes: number, delayMs: number, deliver: () => void): void => {
    const item: Item = { bytes, due: false, deliver }
    queue.push(item)
    later(delayMs, () => {
      item.due = true
      drain()
    })
  }
  return {
    send: (frame) => {
      if (stopped) return true
      const delays = faults.delays(from, to, frame)
      if (faults.isLossy(from, to)) {
        for (const delay of delays) {
          const copy = frame.slice()
          later(delay, () => {
            if (!isSevered()) hand(copy)
          })
        }
        return true
      }
      if (delays.length === 0) return false
      const copy = frame.slice()
      enqueue(copy.byteLength, Math.max(...delays), () => hand(copy))
      return true
    },
    finish: (arrived) => {
      if (!stopped) enqueue(0, faults.latencyMs, arrived)
    },
    resume: drain,
    stop: () => {
      stopped = true
      queue = []
      for (const timer of armed) timer.cancel()
      armed.clear()
    },
    lose: () => {
      queue = queue.filter((item) => item.bytes === 0)
    },
    get heldBytes() {
      return isSevered() ? queue.reduce((bytes, item) => bytes + item.bytes, 0) : 0
    },
  }
}
