// The scrubber's check of the meta group: its one row has to read back, with its head, as the state that wrote it.
import { BadFrameError } from '@quorate/protocol'
import type { Scrub } from '@quorate/state-machine'
import type { ReplicaHead } from '@quorate/storage'
import { MetaState } from './meta-state.ts'

/** `head` is that of the checkpoint whose rows follow. */
export function createMetaScrub(head: ReplicaHead): Scrub {
  const maps: Uint8Array[] = []
  return {
    rows: (page) => {
      for (const { value } of page) maps.push(value)
      return maps.length > 1 ? `${maps.length} rows in the meta group` : null
    },
    finish: () => {
      const [map] = maps
      if (map === undefined) return 'no map in the meta group'
      try {
        MetaState.restore({ index: head.appliedIndex, term: head.appliedTerm }, head.machine, map)
        return null
      } catch (error) {
        if (!(error instanceof BadFrameError)) throw error
        return `the map of the meta group: ${error.message}`
      }
    },
  }
}
