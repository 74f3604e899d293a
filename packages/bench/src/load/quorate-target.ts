// Quorate's own client in this process, one promise per operation, as a user would call it.
import { connect } from '@quorate/client'
import { type Target, type TargetWork, valueOf } from './target.ts'

export async function connectQuorate(endpoints: readonly string[]): Promise<Target> {
  // `raw`: the other systems encode no values either.
  const cache = await connect(endpoints, { codec: 'raw' })
  return {
    run(work: TargetWork) {
      const state = { running: true }
      const value = valueOf(work.valueBytes)
      const operate =
        work.kind === 'write' ? (key: string) => cache.set(key, value) : (key: string) => cache.get(key)
      const worker = async (): Promise<void> => {
        while (state.running) {
          const key = work.nextKey()
          if (key === null) return
          const begunMs = performance.now()
          try {
            await operate(key)
            work.completed(performance.now() - begunMs)
          } catch (error) {
            work.failed(error, key)
          }
        }
      }
      const ended = Promise.all(Array.from({ length: work.outstanding }, worker)).then(() => {})
      return { ended, stop: () => (state.running = false) }
    },
    close: () => cache.close(),
  }
}
