// Records a CPU profile of the process it runs in, over the measured time alone: start-up and warm-up are another story.
import { writeFileSync } from 'node:fs'
import { Session } from 'node:inspector/promises'

export const PROFILE_ENDING = '.cpuprofile'

const INTERVAL_US = 500

/** Begins to record; what it returns ends that and writes the file. */
export async function recordProfile(file: string): Promise<() => Promise<void>> {
  const session = new Session()
  session.connect()
  await session.post('Profiler.enable')
  await session.post('Profiler.setSamplingInterval', { interval: INTERVAL_US })
  await session.post('Profiler.start')
  return async () => {
    const { profile } = await session.post('Profiler.stop')
    session.disconnect()
    writeFileSync(file, JSON.stringify(profile))
  }
}
