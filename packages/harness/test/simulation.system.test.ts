import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { expect, it } from 'vitest'
import { runBuilt } from './run-built.ts'

/** The faults that took effect, as the run itself counts them. */
async function faultsOf(seed: number): Promise<string> {
  const { code, output } = await runBuilt('main-sim', '--seed', String(seed))
  expect(output).toMatch(new RegExp(`seed ${seed}: ok`))
  expect(code).toBe(0)
  return /^ {2}faults (.*)$/m.exec(output)?.[1] ?? ''
}

it('five seeds of a simulated cluster keep every promise, twice with equal traces', async () => {
  const { code, output } = await runBuilt('main-sim', '--seeds', '1..5', '--jobs', '2', '--twice')
  expect(output).toContain('verdict: ok')
  expect(output).toContain('5 seeds twice: equal traces')
  expect(code).toBe(0)
}, 300_000)

it('one seed prints a readable run with its verdict and trace hash', async () => {
  const { code, output } = await runBuilt('main-sim', '--seed', '6')
  expect(output).toMatch(/trace [0-9a-f]{32}\nseed 6: ok/)
  expect(code).toBe(0)
}, 120_000)

it('a seed runs the same under the schedule that it printed', async () => {
  const { code, output: schedule } = await runBuilt('main-sim', '--seed', '6', '--print-schedule')
  expect(code).toBe(0)
  const directory = await mkdtemp(path.join(os.tmpdir(), 'quorate-schedule-'))
  try {
    const file = path.join(directory, 'six.schedule')
    await writeFile(file, schedule)
    const drawn = await runBuilt('main-sim', '--seed', '6')
    const given = await runBuilt('main-sim', '--seed', '6', '--schedule', file)
    expect(given.output).toBe(drawn.output)
    expect(given.output).toContain('fault ')
    await writeFile(file, '1.0 flood node=n1')
    const refused = await runBuilt('main-sim', '--seed', '6', '--schedule', file)
    expect(refused.code).toBe(2)
    expect(refused.output).toContain('line 1 of the schedule: no fault is called flood')
  } finally {
    await rm(directory, { recursive: true })
  }
}, 240_000)

// A11
it('a wiped node comes back as another one, while groups change and single connections are silent', async () => {
  const faults = await faultsOf(1270)
  for (const kind of ['wipe', 'members', 'black-hole']) expect(faults).toContain(`"${kind}":`)
}, 120_000)

it('an old copy of a directory halts before it is believed, while groups change and links clog', async () => {
  const faults = await faultsOf(513)
  for (const kind of ['old-copy', 'members', 'swizzle', 'black-hole']) expect(faults).toContain(`"${kind}":`)
}, 120_000)
