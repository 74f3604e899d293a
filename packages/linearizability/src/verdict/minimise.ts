// Makes an illegal history small. Every step is one that keeps legal histories legal, so what remains proves that the whole is
// illegal: (1) the history ends earlier, and who had not returned by then may not have happened; (2) an operation without
// effect is left out; (3) of registers: a write whose value nobody that is left needs is left out, if nobody left rejects
// values; (4) of registers: a compare-and-set
// or a removal counts as a plain write.
import { SHRINK_CHECKS, SHRINK_SECONDS } from '../limits.ts'
import type { Part, Parts } from './parts.ts'

/** What is left of the effort to make one history smaller. */
export class Effort {
  readonly #now: () => number
  readonly #until: number
  #checks = SHRINK_CHECKS

  constructor(now: () => number) {
    this.#now = now
    this.#until = now() + SHRINK_SECONDS * 1_000
  }

  get seconds(): number {
    return this.#checks <= 0 ? 0 : Math.max(0, this.#until - this.#now()) / 1_000
  }

  /** False also where that is not known. */
  isIllegal(parts: Parts, some: readonly Part[]): boolean {
    const { seconds } = this
    if (seconds <= 0) return false
    this.#checks -= 1
    return parts.decide(some, seconds).kind === 'illegal'
  }
}

/** The shortest beginning that is illegal. `parts` is. */
export function shortestBeginning(parts: Parts, all: readonly Part[], effort: Effort): Part[] {
  const ends = all.map((part) => parts.operation(part).return).toSorted((a, b) => a - b)
  let [low, high] = [0, ends.length - 1]
  while (low < high && effort.seconds > 0) {
    const middle = (low + high) >>> 1
    if (effort.isIllegal(parts, beginning(parts, all, ends[middle] ?? 0))) high = middle
    else low = middle + 1
  }
  return low === high ? beginning(parts, all, ends[high] ?? 0) : [...all]
}

export function beginning(parts: Parts, all: readonly Part[], end: number): Part[] {
  return all.flatMap((part) => {
    const operation = parts.operation(part)
    if (operation.call > end) return []
    if (operation.return <= end) return [part]
    return operation.changes ? [{ ...part, cut: true }] : []
  })
}

export function shrink(parts: Parts, illegal: readonly Part[], effort: Effort): Part[] {
  let kept = [...illegal]
  for (let size = Math.ceil(kept.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    // From the end: what is called last is often only what came after.
    for (let from = kept.length - 1; from >= 0; from -= size) {
      const chunk = new Set(kept.slice(Math.max(0, from - size + 1), from + 1))
      const smaller = leaveOut(parts, kept, chunk)
      if (smaller.length < kept.length && effort.isIllegal(parts, smaller)) kept = smaller
    }
  }
  const looser = loosen(parts, kept, effort)
  return looser === null ? kept : shrink(parts, looser, effort)
}

/** Without the chunk, but for those of it that cannot be left out. */
export function leaveOut(parts: Parts, kept: readonly Part[], chunk: ReadonlySet<Part>): Part[] {
  const effects = new Map(kept.map((part) => [part, parts.effect(part)]))
  const writersInChunk = new Map<number, Part[]>()
  for (const part of chunk) {
    const { leadsTo = -1 } = effects.get(part) ?? {}
    if (leadsTo >= 0) writersInChunk.set(leadsTo, [...(writersInChunk.get(leadsTo) ?? []), part])
  }
  const stays = new Set<Part>()
  const pending = kept.filter(
    (part) => !chunk.has(part) || (effects.get(part) === null && parts.operation(part).changes),
  )
  for (let part = pending.pop(); part !== undefined; part = pending.pop()) {
    if (stays.has(part)) continue
    stays.add(part)
    const { needs = -1, rejects = -1 } = effects.get(part) ?? {}
    // Whoever needs a value keeps those who may have written it; whoever rejects one may have seen any write.
    if (rejects >= 0) pending.push(...[...writersInChunk.values()].flat())
    else pending.push(...(writersInChunk.get(needs) ?? []))
  }
  return kept.filter((part) => stays.has(part))
}

/** With compare-and-sets and removals that count as plain writes, as many as may be; null where none can. */
function loosen(parts: Parts, kept: readonly Part[], effort: Effort): Part[] | null {
  const canBeLoose = (part: Part) => {
    const effect = parts.effect(part)
    return effect !== null && effect.leadsTo >= 0 && (effect.needs >= 0 || effect.rejects >= 0)
  }
  let looser = kept.map((part) => (canBeLoose(part) ? { ...part, loose: true } : part))
  if (!looser.some((part, at) => part !== kept[at])) return null
  if (effort.isIllegal(parts, looser)) return looser
  looser = [...kept]
  for (const [at, part] of kept.entries()) {
    if (!canBeLoose(part)) continue
    const more = looser.with(at, { ...part, loose: true })
    if (effort.isIllegal(parts, more)) looser = more
  }
  return looser.some((part, at) => part !== kept[at]) ? looser : null
}
