// All models, by name.
import { appendList } from './append-list.ts'
import { counter } from './counter.ts'
import { fencedLock } from './fenced-lock.ts'
import type { Model } from './model.ts'
import { casRegister, register } from './register.ts'
import { set } from './set.ts'
import { ttlKey } from './ttl-key.ts'

export const models: readonly Model[] = [register, casRegister, counter, appendList, set, ttlKey, fencedLock]

export function modelNamed(name: string): Model | undefined {
  return models.find((model) => model.name === name)
}
