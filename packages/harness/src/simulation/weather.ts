// What the network does to frames: delay, loss, duplication, overtaking; and which directions are severed.
import type { SeededRandom } from './seeded-random.ts'

/** How frames fare. Loss and the like happen between nodes only: client links are streams, delayed and cut, nothing else. */
export interface Climate {
  readonly delayMsMean: number
  /** 0..0.3 */
  readonly loss: number
  /** 0..0.5 */
  readonly duplication: number
  /** Mean of an extra delay that lets later frames overtake, for a tenth of them; 0 = none. */
  readonly overtakingMs: number
}

export const fairClimate: Climate = { delayMsMean: 0.5, loss: 0, duplication: 0, overtakingMs: 0 }

/** Share of frames that an overtaking climate holds back. */
const HELD_BACK_SHARE = 0.1

export interface WeatherCounts {
  frames: number
  lost: number
  duplicated: number
  severed: number
}

export class Weather {
  readonly counts: WeatherCounts = { frames: 0, lost: 0, duplicated: 0, severed: 0 }
  readonly #random: SeededRandom
  readonly #isNode: (host: string) => boolean
  #climate: Climate = fairClimate
  readonly #severed = new Set<string>()
  /** Severed while frames could be lost for good: on such a connection nothing can be relied on afterwards. */
  readonly #broken = new Set<string>()
  readonly #slow = new Map<string, number>()
  /** Single connections pass nothing. */
  holed = false
  /** First frames of connections: without them there is no stream. */
  readonly #handshakes = new WeakSet<Uint8Array>()

  constructor(random: SeededRandom, isNode: (host: string) => boolean) {
    this.#random = random
    this.#isNode = isNode
  }

  get climate(): Climate {
    return this.#climate
  }

  set climate(climate: Climate) {
    this.#climate = climate
    for (const severed of this.#severed) this.#breakIfLossy(severed)
  }

  /** Whether a connection in this direction lost frames to a partition, as no stream does that stays open. */
  isBroken(from: string, to: string): boolean {
    return this.#broken.has(link(from, to))
  }

  /** True between nodes in a climate that is no stream's. */
  isLossy(from: string, to: string): boolean {
    const { loss, duplication, overtakingMs } = this.climate
    return loss + duplication + overtakingMs > 0 && this.#isNode(from) && this.#isNode(to)
  }

  markHandshake(frame: Uint8Array): void {
    this.#handshakes.add(frame)
  }

  /** After how many ms each delivery of the frame happens. */
  delays(from: string, to: string, frame: Uint8Array): number[] {
    this.counts.frames += 1
    if (this.isSevered(from, to)) this.counts.severed += 1
    // Nothing may overtake the frame that opens a stream.
    if (this.#handshakes.has(frame)) return [0]
    if (!this.isLossy(from, to)) return [this.#delay(from, to)]
    if (this.#random.chance(this.climate.loss)) {
      this.counts.lost += 1
      return []
    }
    const first = this.#delay(from, to) + this.#holdBack()
    if (!this.#random.chance(this.climate.duplication)) return [first]
    this.counts.duplicated += 1
    return [first, this.#delay(from, to) + this.#holdBack()]
  }

  /** Everybody can reach everybody, be it with losses. */
  get calm(): boolean {
    return this.#severed.size === 0 && !this.holed
  }

  isSevered(from: string, to: string): boolean {
    // Asked several times for each frame.
    return this.#severed.size > 0 && this.#severed.has(link(from, to))
  }

  sever(from: string, to: string): void {
    this.#severed.add(link(from, to))
    this.#breakIfLossy(link(from, to))
  }

  /** Frames between the two take `extraMs` longer. */
  slow(from: string, to: string, extraMs: number): void {
    if (extraMs === 0) this.#slow.delete(link(from, to))
    else this.#slow.set(link(from, to), extraMs)
  }

  /** Takes everything severed or slow away; the climate stays. */
  clear(): void {
    this.#severed.clear()
    this.#broken.clear()
    this.#slow.clear()
  }

  #breakIfLossy(severed: string): void {
    const [from = '', to = ''] = severed.split('>')
    if (this.isLossy(from, to)) this.#broken.add(severed)
  }

  #delay(from: string, to: string): number {
    const extraMs = this.#slow.size === 0 ? 0 : (this.#slow.get(link(from, to)) ?? 0)
    return this.#random.exponential(this.climate.delayMsMean) + extraMs
  }

  #holdBack(): number {
    const { overtakingMs } = this.climate
    return overtakingMs > 0 && this.#random.chance(HELD_BACK_SHARE)
      ? this.#random.exponential(overtakingMs)
      : 0
  }
}

function link(from: string, to: string): string {
  return `${from}>${to}`
}
