// Read, change, write if nobody else wrote meanwhile; and again.
import { QuorateError } from '@quorate/protocol'
import type { Updated } from './cache.ts'
import { UPDATE_ATTEMPTS_DEFAULT, UPDATE_ATTEMPTS_MAX, UPDATE_PAUSE_MS } from './limits.ts'
import type { UpdateOptions } from './options.ts'
import type { Seen, SeenKey } from './seen.ts'
import type { Span } from './span.ts'

/**
 * Every version that was seen is the condition of the write that follows from it, so no write of others is lost. An outcome
 * `unknown` ends it: the change may have been made, and making it again could make it twice.
 */
export async function updateKey<V>(
  access: SeenKey<V>,
  change: (value: V | undefined) => V | undefined | PromiseLike<V | undefined>,
  options: UpdateOptions,
  span: Span,
): Promise<Updated<V>> {
  const attempts = checkedAttempts(options.attempts)
  let seen: Seen<V> = await access.see(span.share())
  for (let attempt = 1; ; attempt += 1) {
    const value = await span.race(changed(change, seen.value))
    if (value === undefined) return { applied: false, version: seen.version, value: seen.value }
    const written = await access.replace(seen, value, { ...span.share(), ttl: options.ttl })
    if (written.applied) return { applied: true, version: written.version, value }
    if (attempt >= attempts) throw conflict(attempts)
    await span.pause(0, Math.min(UPDATE_PAUSE_MS * attempt, span.remainingMs))
    seen = await access.see(span.share())
  }
}

async function changed<V>(
  change: (value: V | undefined) => V | undefined | PromiseLike<V | undefined>,
  value: V | undefined,
): Promise<V | undefined> {
  return change(value)
}

function checkedAttempts(attempts: number = UPDATE_ATTEMPTS_DEFAULT): number {
  if (Number.isSafeInteger(attempts) && attempts > 0 && attempts <= UPDATE_ATTEMPTS_MAX) return attempts
  const message = `attempts is a whole number from 1 to ${UPDATE_ATTEMPTS_MAX}, not ${String(attempts)}`
  throw new QuorateError('ARGUMENT_INVALID', 'not-done', message)
}

function conflict(attempts: number): QuorateError {
  const message = `another write came first, ${attempts} times in a row`
  return new QuorateError('CONFLICT', 'not-done', message, {
    hint: 'nothing happened: try again, allow more attempts, or let fewer writers meet at one key',
  })
}
