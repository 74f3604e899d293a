// Faults that end processes: kills, losses of power, at any boundary of the disk and one after the other.
import type { BoundaryHook } from '@quorate/runtime'
import type { FaultArguments } from '../schedule/fault-shapes.ts'
import { type DrawContext, type Fault, pickRunning, running } from './fault.ts'

/** A crash at a boundary happens at one of so many next ones. */
const BOUNDARIES_MAX = 40

export function crash(
  draw: (context: DrawContext) => readonly string[],
  how: { readonly powerLoss: boolean },
): Fault<FaultArguments['crash']> {
  return {
    draw: (context) => {
      const nodes = draw(context)
      const { random } = context
      if (nodes.length === 0) return null
      const durationMs = random.wholeBetween(50, 3_000)
      return { nodes, for: durationMs, back: nodes.map(() => random.wholeBetween(0, 300)) }
    },
    inject: ({ world, cluster }, { nodes, back }) => {
      const victims = nodes.filter((name) => cluster.machine(name).running)
      if (victims.length === 0) return null
      for (const name of victims) cluster.crashNode(name, how)
      return {
        heal: () => {
          for (const [index, name] of nodes.entries())
            world.process.schedule(back[index] ?? 0, 'restart', () => cluster.restartNode(name))
        },
        bit: () => true,
      }
    },
  }
}

export const pickOne = (context: DrawContext): string[] => pickRunning(context, 1)
export const pickAll = (context: DrawContext): string[] => running(context)

/** Dies in the middle of its own turn, just before one of its next writes, syncs or renames takes effect. */
export const crashAtBoundary: Fault<FaultArguments['crash-at-boundary']> = {
  draw: (context) => {
    const { random } = context
    const [node] = pickRunning(context, 1)
    if (node === undefined) return null
    const power = random.chance(0.5)
    const nth = 1 + random.below(BOUNDARIES_MAX)
    return { node, nth, power, for: random.wholeBetween(200, 3_000) }
  },
  inject: ({ world, cluster }, { node, nth, power }) => {
    const machine = cluster.machine(node)
    const { process } = machine
    if (!machine.running) return null
    let left = nth
    const hook: BoundaryHook = (operation, path) => {
      left -= 1
      if (left > 0) return
      machine.hooks.delete(hook)
      world.note(node, `dies at ${operation} ${path}`)
      cluster.crashNode(node, { powerLoss: power })
    }
    machine.hooks.add(hook)
    return {
      heal: () => {
        machine.hooks.delete(hook)
        cluster.restartNode(node)
      },
      bit: () => !process.alive,
    }
  },
}

/** The page cache survives the first crash: what recovery read back may still be lost. */
export const crashThenPowerLoss: Fault<FaultArguments['crash-then-power-loss']> = {
  draw: (context) => {
    const { random } = context
    const nodes = random.chance(0.5) ? running(context) : pickRunning(context, 1)
    if (nodes.length === 0) return null
    const back = random.wholeBetween(20, 500)
    const dark = back + random.wholeBetween(0, 400)
    return { nodes, back, dark, for: dark + random.wholeBetween(50, 1_000) }
  },
  inject: ({ world, cluster }, { nodes, back, dark }) => {
    const victims = nodes.filter((name) => cluster.machine(name).running)
    if (victims.length === 0) return null
    const restart = (): void => victims.forEach((name) => cluster.restartNode(name))
    for (const name of victims) cluster.crashNode(name, { powerLoss: false })
    let healed = false
    world.process.schedule(back, 'restart', restart)
    world.process.schedule(dark, 'power-loss', () => {
      if (healed) return
      for (const name of victims)
        if (cluster.machine(name).running) cluster.crashNode(name, { powerLoss: true })
    })
    return {
      heal: () => {
        healed = true
        restart()
      },
      bit: () => true,
    }
  },
}
