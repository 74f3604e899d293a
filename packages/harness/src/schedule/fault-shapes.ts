// The vocabulary of schedules: which arguments each kind of fault takes. Data only, so that whoever hurts real processes can
// read the same schedules as the simulator.
import { type Channel, channels } from '@quorate/protocol'
import type { FaultKind } from '../simulation/swarm.ts'
import {
  type ArgumentType,
  flag,
  listOf,
  milliseconds,
  offset,
  oneOf,
  processName,
  rate,
  whole,
  wholeOrNever,
} from './argument.ts'

/** How long it lasts, ms. */
interface Lasting {
  readonly for: number
}
interface OfNode extends Lasting {
  readonly node: string
}
interface OfNodes extends Lasting {
  readonly nodes: readonly string[]
}
interface Crash extends OfNodes {
  /** When each of them is started again, ms behind the end of the fault: who comes first may elect without the rest. */
  readonly back: readonly number[]
}

export interface FaultArguments {
  readonly crash: Crash
  readonly 'crash-all': Crash
  readonly 'power-loss': Crash
  readonly 'power-loss-all': Crash
  /** Dies at the nth next write, sync, rename and so on of its disk. */
  readonly 'crash-at-boundary': OfNode & { readonly nth: number; readonly power: boolean }
  /** Starts again after `back`, loses power at `dark`. */
  readonly 'crash-then-power-loss': OfNodes & { readonly back: number; readonly dark: number }
  readonly pause: OfNode
  readonly 'partition-one': OfNode
  /** These from the others. */
  readonly 'partition-halves': OfNodes
  /** These from the others, but for `node`, which sees both. */
  readonly 'partition-bridge': OfNode & { readonly nodes: readonly string[] }
  /** Nothing that it sends arrives. */
  readonly 'partition-one-way': OfNode
  /** The connections between two break, and may be made again at once. */
  readonly cut: { readonly nodes: readonly string[] }
  readonly 'slow-link': Lasting & { readonly from: string; readonly to: string; readonly extra: number }
  readonly 'black-hole': Lasting & {
    readonly from: string
    readonly to: string
    readonly channel: Channel
    readonly ways: 'out' | 'back' | 'both'
    /** Only the connection of this moment: a new one gets through. */
    readonly once: boolean
  }
  /** When each of them loses its links and when it gets them back, ms. */
  readonly swizzle: OfNodes & { readonly clog: readonly number[]; readonly unclog: readonly number[] }
  readonly clock: OfNode & { readonly rate: number; readonly wall: number }
  readonly 'leader-clock': OfNode & { readonly wall: number }
  readonly transfer: OfNode & { readonly groups: readonly number[] }
  /** `withdraw`: taken back so many ms after it was accepted. */
  readonly members: OfNodes & { readonly group: number; readonly withdraw: number | null }
  readonly 'client-crash': Lasting & { readonly client: string }
  /** `up-to`: the slowest sync, ms. */
  readonly 'disk-slow': OfNode & { readonly 'up-to': number }
  readonly 'disk-error': OfNode & {
    readonly operation: 'write' | 'sync' | 'syncDirectory'
    /** A write of the state store, whatever the operation. */
    readonly store: boolean
    readonly nth: number
  }
  readonly 'disk-full': OfNode & { readonly free: number }
  /** `chance`: the seed of where bits flip. */
  readonly 'bit-rot': OfNode & {
    readonly power: boolean
    readonly store: boolean
    readonly flips: number
    readonly chance: number
    readonly back: number
  }
  readonly wipe: OfNode & { readonly power: boolean; readonly back: number }
  /** `chance`: the seed of how long each life is. */
  readonly 'old-copy': OfNode & { readonly lives: number; readonly chance: number }
  readonly storm: Lasting & {
    /** Mean, ms. */
    readonly delay: number
    readonly loss: number
    readonly duplication: number
    readonly overtaking: number
  }
}

export type Shape<Arguments> = { readonly [Name in keyof Arguments]: ArgumentType<Arguments[Name]> }

const node = processName
const nodes: ArgumentType<readonly string[]> = listOf(processName)
const lasting = { for: milliseconds }
const ofNode = { node, ...lasting }
const ofNodes = { nodes, ...lasting }
const crash = { ...ofNodes, back: listOf(milliseconds) }

export const faultShapes: { readonly [Kind in FaultKind]: Shape<FaultArguments[Kind]> } = {
  crash,
  'crash-all': crash,
  'power-loss': crash,
  'power-loss-all': crash,
  'crash-at-boundary': { ...ofNode, nth: whole, power: flag },
  'crash-then-power-loss': { ...ofNodes, back: milliseconds, dark: milliseconds },
  pause: ofNode,
  'partition-one': ofNode,
  'partition-halves': ofNodes,
  'partition-bridge': { ...ofNode, nodes },
  'partition-one-way': ofNode,
  cut: { nodes },
  'slow-link': { from: processName, to: processName, ...lasting, extra: milliseconds },
  'black-hole': {
    from: processName,
    to: processName,
    ...lasting,
    channel: oneOf(channels),
    ways: oneOf(['out', 'back', 'both']),
    once: flag,
  },
  swizzle: { ...ofNodes, clog: listOf(milliseconds), unclog: listOf(milliseconds) },
  clock: { ...ofNode, rate, wall: offset },
  'leader-clock': { ...ofNode, wall: offset },
  transfer: { ...ofNode, groups: listOf(whole) },
  members: { group: whole, ...ofNodes, withdraw: wholeOrNever },
  'client-crash': { client: processName, ...lasting },
  'disk-slow': { ...ofNode, 'up-to': milliseconds },
  'disk-error': {
    ...ofNode,
    operation: oneOf(['write', 'sync', 'syncDirectory']),
    store: flag,
    nth: whole,
  },
  'disk-full': { ...ofNode, free: whole },
  'bit-rot': { ...ofNode, power: flag, store: flag, flips: whole, chance: whole, back: milliseconds },
  wipe: { ...ofNode, power: flag, back: milliseconds },
  'old-copy': { ...ofNode, lives: whole, chance: whole },
  storm: { ...lasting, delay: rate, loss: rate, duplication: rate, overtaking: rate },
}
