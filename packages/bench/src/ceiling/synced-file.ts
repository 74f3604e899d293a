// A growing file with one write and one sync at a time; what comes meanwhile shares the next.
import { fdatasync, openSync, writev } from 'node:fs'

interface Piece {
  readonly bytes: Uint8Array
  readonly synced: () => void
}

/** Returns how to append: `synced` is called when the bytes are on disk. A failure ends the process. */
export function openSyncedFile(file: string): (bytes: Uint8Array, synced: () => void) => void {
  const descriptor = openSync(file, 'w')
  let waiting: Piece[] = []
  let busy = false
  const proceed = (): void => {
    if (busy || waiting.length === 0) return
    busy = true
    const pieces = waiting
    waiting = []
    const buffers = pieces.map(({ bytes }) => bytes)
    writev(descriptor, buffers, (writeError) => {
      if (writeError !== null) throw writeError
      fdatasync(descriptor, (syncError) => {
        if (syncError !== null) throw syncError
        busy = false
        for (const { synced } of pieces) synced()
        proceed()
      })
    })
  }
  return (bytes, synced) => {
    waiting.push({ bytes, synced })
    proceed()
  }
}
