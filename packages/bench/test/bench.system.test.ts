// That it runs and says what it should; never how fast anything is.
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'

const program = path.resolve(import.meta.dirname, '../dist/main-bench.js')
const directory = mkdtempSync(path.join(tmpdir(), 'quorate-bench-test-'))
afterAll(() => rmSync(directory, { recursive: true, force: true }))

type Line = Readonly<Record<string, unknown>>

function runBench(
  name: string,
  ...flags: string[]
): Promise<{ code: number | null; output: string; lines: Line[] }> {
  const file = path.join(directory, `${name}.jsonl`)
  // The repository's disk: the system's directory for temporary files may be memory, where nothing is measured.
  const place = path.resolve(import.meta.dirname, '../dist/.bench')
  const args = [
    program,
    '--directory',
    place,
    '--json',
    file,
    '--runs',
    '1',
    '--seconds',
    '1',
    '--warm',
    '0.2',
  ]
  const child = spawn(process.execPath, [...args, '--keys', '500', ...flags], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()))
  return new Promise((resolve) => {
    child.once('close', (code) => {
      const text = code === 0 ? readFileSync(file, 'utf8') : ''
      const lines = text.split('\n').filter((line) => line !== '')
      resolve({ code, output, lines: lines.map((line) => JSON.parse(line) as Line) })
    })
  })
}

const positive: unknown = expect.toSatisfy((value: unknown) => typeof value === 'number' && value > 0)

describe('the benchmark', () => {
  it('measures Quorate beside the ceiling, kills a leader, and says which targets are met', async () => {
    const systems = ['--systems', 'quorate,ceiling', '--lines', 'write-16,read-16']
    const { code, output, lines } = await runBench('compare', ...systems, '--shards', '2', '--kills', '1')
    expect(output).not.toContain('FAILED')
    expect(code).toBe(0)
    const loads = lines.filter(({ kind }) => kind === 'write' || kind === 'read')
    expect(loads.map(({ system, kind }) => `${String(system)} ${String(kind)}`)).toEqual([
      'quorate write',
      'ceiling write',
      'quorate read',
      'ceiling read',
    ])
    for (const line of loads)
      expect(line).toMatchObject({
        outstanding: 16,
        perSecond: positive,
        p99Ms: positive,
        failed: 0,
        seed: 1,
      })
    expect(loads[0]?.['servers']).toMatchObject({
      operationsPerSync: positive,
      operationsPerEntry: positive,
      entriesPerAppend: positive,
      logBytesPerUserByte: positive,
      eventLoopUtilization: [positive, positive, positive],
    })
    const gaps = lines.find(({ kind }) => kind === 'gap')?.['gapsMs']
    expect(gaps).toEqual(expect.arrayContaining([positive]))
    expect(output).toMatch(/gap of a shard .* (?:not )?met/)
    expect(output).toMatch(/against etcd .* not measured/)
  }, 180_000)

  it('measures Quorate against itself at other sizes, idle shards and a restart', async () => {
    const sizes = ['--scale', '--scale-shards', '4', '--scale-keys', '1000']
    const rest = ['--shards', '2', '--idle-shards', '16', '--restart-keys', '500']
    const { code, output, lines } = await runBench('scale', ...sizes, ...rest)
    expect(output).not.toContain('FAILED')
    expect(code).toBe(0)
    const measured = new Set(
      lines.map(({ kind, shards, keys }) => [kind, shards, keys].map(String).join(' ')),
    )
    for (const line of ['write 4 500', 'write 2 1000', 'read 2 1000', 'idle 16 0', 'restart 2 500'])
      expect(measured).toContain(line)
  }, 240_000)
})
