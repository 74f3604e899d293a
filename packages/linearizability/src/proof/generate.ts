// Legal histories: clients call a correct object, each operation takes effect somewhere between its call and its return, or,
// where nobody was told, later or never.
import type { HistoryRecord } from '../history/record.ts'
import type { Random } from './random.ts'
import { type Reference, type Request, referenceFor, type Vocabulary } from './reference.ts'

export interface HistoryShape extends Vocabulary {
  readonly model: string
  readonly operations: number
  readonly clients: number
  readonly keys: number
  /** Part of the operations whose outcome nobody was told. */
  readonly unknown: number
  /** Part of the operations that certainly do not happen. */
  readonly failed: number
  /** Whether answers say where they stand in the object's own order. */
  readonly positions: boolean
}

/** Nanoseconds that an operation takes at most, and that a client waits at most; a clock of the object counts a millionth. */
const OPERATION_NS = 2_000_000
const PAUSE_NS = 500_000
/** An operation of unknown outcome takes effect within so many times that. */
const LATE = 10

interface Planned {
  readonly process: string
  readonly key: number
  readonly call: number
  readonly effect: number
  readonly return: number
  readonly type: 'ok' | 'fail' | 'info'
}

/** In the order of returns; what has none stands where it took effect. */
export function generateHistory(shape: HistoryShape, random: Random): HistoryRecord[] {
  const planned = plan(shape, random)
  const objects = Array.from({ length: shape.keys }, () => referenceFor(shape.model, shape))
  const versions = new Int32Array(shape.keys)
  const records = planned
    .toSorted((a, b) => a.effect - b.effect)
    .map((operation) => carryOut(operation, objects, versions, shape, random))
  return records
    .map((record, at) => ({ record, at, when: record.return ?? planned[at]?.effect ?? 0 }))
    .toSorted((a, b) => a.when - b.when)
    .map(({ record }) => record)
}

function plan(shape: HistoryShape, random: Random): Planned[] {
  const planned: Planned[] = []
  const free = Array.from({ length: shape.clients }, () => random.below(PAUSE_NS))
  /** A client whose outcome is unknown is retired, and another one takes its place. */
  const names = free.map((_, client) => client)
  let processes = shape.clients
  for (let index = 0; index < shape.operations; index += 1) {
    const client = index % shape.clients
    const call = (free[client] ?? 0) + 1 + random.below(PAUSE_NS)
    const duration = 1 + random.below(OPERATION_NS)
    const chance = random.fraction()
    const type = chance < shape.unknown ? 'info' : chance < shape.unknown + shape.failed ? 'fail' : 'ok'
    const late = type === 'info' && random.chance(0.5) ? LATE : 1
    const effect = call + random.below(duration * late)
    const process = String(names[client])
    planned.push({ process, key: random.below(shape.keys), call, effect, return: call + duration, type })
    free[client] = call + duration
    if (type !== 'info') continue
    names[client] = processes
    processes += 1
  }
  return planned
}

function carryOut(
  operation: Planned,
  objects: readonly Reference[],
  versions: Int32Array,
  shape: HistoryShape,
  random: Random,
): HistoryRecord {
  const { process, key, call, effect } = operation
  const object = objects[key]
  if (object === undefined) throw new RangeError(`there is no key ${key}`)
  const request = object.draw(random)
  const clock = Math.floor(effect / 1_000_000)
  const happens = operation.type === 'ok' || (operation.type === 'info' && random.chance(0.5))
  const answer = happens ? object.apply(request, clock) : { changed: false }
  if (answer.changed) versions[key] = (versions[key] ?? 0) + 1
  const told = operation.type === 'ok'
  const positions = told && shape.positions
  return {
    ...asked(request, `k${key}`),
    process,
    type: operation.type,
    call,
    return: told ? operation.return : null,
    result: told && 'result' in answer ? answer.result : undefined,
    epoch: positions ? 1 : undefined,
    version: positions ? versions[key] : undefined,
    clock: told && (positions || shape.model === 'ttl-key') ? clock : undefined,
  }
}

function asked({ f, value, ttl }: Request, key: string): Pick<HistoryRecord, 'f' | 'key' | 'value' | 'ttl'> {
  return { f, key, value, ttl }
}

/** As a line of a file. */
export function formatRecord(entry: HistoryRecord): string {
  return JSON.stringify(entry)
}
