// Faults of single links: one of the three connections of a pair that is silent, and links that clog one after another.
import { type Channel, channels, decodePeerFrame } from '@quorate/protocol'
import type { FaultArguments } from '../schedule/fault-shapes.ts'
import { type Fault, names } from './fault.ts'

interface Opening {
  readonly channel: Channel
  /** Number of the link that the connection belongs to. */
  readonly link: number
}

/**
 * Of the three connections that one node keeps to another, one passes nothing any more, in one direction or both. Half of the
 * time only the connection of this moment, so that a new one gets through.
 */
export const blackHole: Fault<FaultArguments['black-hole']> = {
  draw: (context) => {
    const { random } = context
    const [from = '', to = ''] = random.shuffle(names(context))
    const channel = random.pick(channels)
    const ways = random.pick(['out', 'back', 'both'] as const)
    return { from, to, channel, ways, once: random.chance(0.5), for: random.wholeBetween(300, 6_000) }
  },
  inject: ({ world }, { from: dialler, to: acceptor, channel, ways, once }) => {
    const openings = new WeakMap<Uint8Array, Opening | null>()
    let present: number | null = null
    let held = 0
    world.weather.holed = true
    world.hub.blackHole((connection, from) => {
      if (connection.dialler !== dialler || connection.acceptor !== acceptor) return false
      if (ways !== 'both' && (ways === 'out') !== (from === dialler)) return false
      const { opening } = connection
      if (opening === null) return false
      if (!openings.has(opening)) openings.set(opening, readOpening(opening))
      const read = openings.get(opening) ?? null
      if (read === null || read.channel !== channel) return false
      present ??= read.link
      if (once && read.link !== present) return false
      held += 1
      return true
    })
    return {
      heal: () => {
        // What a link that loses frames has lost nobody sends again.
        const isPair = (from: string, to: string): boolean => from === dialler && to === acceptor
        if (world.weather.isLossy(dialler, acceptor)) world.hub.cut(isPair)
        world.hub.blackHole(null)
        world.weather.holed = false
      },
      bit: () => held > 0,
    }
  },
}

/** The hello of a node to a node; a client's connection has another opening. */
function readOpening(opening: Uint8Array): Opening | null {
  try {
    const frame = decodePeerFrame(opening)
    return frame.type === 'hello' ? { channel: frame.channel, link: frame.link } : null
  } catch {
    return null
  }
}

/** Some nodes lose all their links, one after another, and get them back one after another, in another order (FoundationDB). */
export const swizzle: Fault<FaultArguments['swizzle']> = {
  draw: (context) => {
    const { random } = context
    const hosts = names(context)
    const nodes = random.shuffle(hosts).slice(0, 1 + random.below(hosts.length))
    const halfMs = random.wholeBetween(300, 2_500)
    const clog = nodes.map(() => random.wholeBetween(0, halfMs))
    const unclog = nodes.map(() => random.wholeBetween(halfMs, 2 * halfMs))
    return { nodes, clog, unclog, for: 2 * halfMs }
  },
  inject: (context, { nodes, clog, unclog }) => {
    const { world } = context
    const { weather } = world
    const hosts = names(context)
    const severedBefore = weather.counts.severed
    const clogged = new Set<string>()
    let healed = false
    const apply = (change: () => void): void => {
      if (healed) return
      change()
      // A link between two victims opens when the second of them comes back.
      weather.clear()
      for (const from of hosts)
        for (const to of hosts)
          if (from !== to && (clogged.has(from) || clogged.has(to))) weather.sever(from, to)
      world.applyWeather()
    }
    for (const [index, name] of nodes.entries()) {
      world.process.schedule(clog[index] ?? 0, 'clog', () => apply(() => clogged.add(name)))
      world.process.schedule(unclog[index] ?? 0, 'unclog', () => {
        apply(() => {
          world.hub.cut((from, to) => (from === name || to === name) && weather.isBroken(from, to))
          clogged.delete(name)
        })
      })
    }
    return {
      heal: () => {
        healed = true
        world.hub.cut((from, to) => weather.isBroken(from, to))
        weather.clear()
        world.applyWeather()
      },
      bit: () => weather.counts.severed > severedBefore,
    }
  },
}
