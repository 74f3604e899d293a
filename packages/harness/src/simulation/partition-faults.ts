// Faults of the whole network: partitions of every shape, links that break or are slow, storms.
import type { FaultArguments } from '../schedule/fault-shapes.ts'
import { asRate } from '../schedule/argument.ts'
import { type Fault, type FaultContext, type FaultEffect, names } from './fault.ts'
import type { SeededRandom } from './seeded-random.ts'
import { fairClimate } from './weather.ts'

const drawDuration = (random: SeededRandom): number => random.wholeBetween(200, 5_000)

export const partitionOne: Fault<FaultArguments['partition-one']> = {
  draw: (context) => ({ node: context.random.pick(names(context)), for: drawDuration(context.random) }),
  inject: (context, { node }) => partition(context, (from, to) => (from === node) !== (to === node)),
}

export const partitionHalves: Fault<FaultArguments['partition-halves']> = {
  draw: (context) => {
    const shuffled = context.random.shuffle(names(context))
    const nodes = shuffled.slice(0, Math.ceil(shuffled.length / 2))
    return { nodes, for: drawDuration(context.random) }
  },
  inject: (context, { nodes }) =>
    partition(context, (from, to) => nodes.includes(from) !== nodes.includes(to)),
}

/** Two halves that only one node can see both of. */
export const partitionBridge: Fault<FaultArguments['partition-bridge']> = {
  draw: (context) => {
    const [node = '', ...others] = context.random.shuffle(names(context))
    const nodes = others.slice(0, Math.floor(others.length / 2))
    return { node, nodes, for: drawDuration(context.random) }
  },
  inject: (context, { node, nodes }) =>
    partition(
      context,
      (from, to) => from !== node && to !== node && nodes.includes(from) !== nodes.includes(to),
    ),
}

export const partitionOneWay: Fault<FaultArguments['partition-one-way']> = {
  draw: (context) => ({ node: context.random.pick(names(context)), for: drawDuration(context.random) }),
  inject: (context, { node }) => partition(context, (from) => from === node),
}

export const cut: Fault<FaultArguments['cut']> = {
  draw: (context) => ({ nodes: context.random.shuffle(names(context)).slice(0, 2) }),
  inject: ({ world }, { nodes }) => {
    world.hub.cut((from, to) => nodes.includes(from) && nodes.includes(to))
    return { heal: () => {}, bit: () => true }
  },
}

export const slowLink: Fault<FaultArguments['slow-link']> = {
  draw: (context) => {
    const { random } = context
    const [from = '', to = ''] = random.shuffle(names(context))
    const extra = random.wholeBetween(20, 800)
    return { from, to, extra, for: random.wholeBetween(500, 4_000) }
  },
  inject: ({ world }, { from, to, extra }) => {
    world.weather.slow(from, to, extra)
    return { heal: () => world.weather.slow(from, to, 0), bit: () => true }
  },
}

export const storm: Fault<FaultArguments['storm']> = {
  draw: ({ random }) => ({
    delay: asRate(random.between(1, 15)),
    loss: asRate(random.between(0.02, 0.3)),
    duplication: asRate(random.between(0, 0.5)),
    overtaking: asRate(random.between(0, 60)),
    for: random.wholeBetween(500, 4_000),
  }),
  inject: ({ world }, { delay, loss, duplication, overtaking }) => {
    const before = world.weather.climate
    const countBefore = world.weather.counts.lost + world.weather.counts.duplicated
    world.weather.climate = {
      ...fairClimate,
      delayMsMean: delay,
      loss,
      duplication,
      overtakingMs: overtaking,
    }
    return {
      heal: () => {
        world.weather.climate = before
      },
      bit: () => world.weather.counts.lost + world.weather.counts.duplicated > countBefore,
    }
  },
}

function partition(
  { world, cluster }: FaultContext,
  severed: (from: string, to: string) => boolean,
): FaultEffect {
  const hosts = cluster.machines.map(({ name }) => name)
  const severedBefore = world.weather.counts.severed
  for (const from of hosts)
    for (const to of hosts) if (from !== to && severed(from, to)) world.weather.sever(from, to)
  world.applyWeather()
  return {
    heal: () => {
      // On a link that loses frames nothing is sent again: like TCP after a long silence, the connection breaks.
      world.hub.cut((from, to) => world.weather.isBroken(from, to))
      world.weather.clear()
      world.applyWeather()
    },
    bit: () => world.weather.counts.severed > severedBefore,
  }
}
