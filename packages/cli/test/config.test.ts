import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { nearest } from '../src/config/nearest.ts'
import { openTerminal } from './fake-cache.ts'

let directory: string
let file: string
beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'quorate-config-'))
  file = path.join(directory, 'q.yaml')
})
afterEach(() => {
  vi.unstubAllEnvs()
  rmSync(directory, { recursive: true })
})

interface Printed {
  readonly setting: string
  readonly value: unknown
  readonly source: string
}

/** What `config print` says of the settings, by their names. */
async function print(...args: string[]): Promise<Record<string, Printed>> {
  const { code, out, err } = await openTerminal().type('config', 'print', ...args, '-o', 'json')
  expect({ code, err }).toEqual({ code: 0, err: '' })
  return Object.fromEntries((JSON.parse(out) as Printed[]).map((one) => [one.setting, one]))
}

async function refused(text: string, ...args: string[]): Promise<string> {
  writeFileSync(file, text)
  const { code, out, err } = await openTerminal().type('config', 'print', 'serve', '--config', file, ...args)
  expect({ code, out }, err).toEqual({ code: 2, out: '' })
  return err.replaceAll(file, 'FILE')
}

describe('settings', () => {
  test('come from flags over the environment over the file over defaults, and it is told from where', async () => {
    writeFileSync(file, 'id: file\ndata: file\nlisten: 127.0.0.1:1\nshards: 3\nlog:\n  level: warn\n')
    vi.stubEnv('QUORATE_DATA', 'environment')
    vi.stubEnv('QUORATE_LISTEN', '127.0.0.1:2')
    const shown = await print('serve', '--config', file, '--listen', '127.0.0.1:3')
    expect(shown['listen']).toMatchObject({ value: '127.0.0.1:3', source: 'flag --listen' })
    expect(shown['data']).toMatchObject({ value: 'environment', source: 'environment QUORATE_DATA' })
    expect(shown['id']).toMatchObject({ value: 'file', source: `file ${file}:1` })
    expect(shown['shards']).toMatchObject({ value: 3, source: `file ${file}:4` })
    expect(shown['log.level']).toMatchObject({ value: 'warn', source: `file ${file}:6` })
    expect(shown['log.format']).toMatchObject({ value: 'auto', source: 'default' })
    expect(shown['http']).toMatchObject({ value: null, source: 'not set' })
  })

  test('of a file are what the flags would make of them, lists and mappings too', async () => {
    writeFileSync(file, 'bootstrap:\n  n1: 127.0.0.1:1\n  n2: 127.0.0.1:2\ntuning:\n  segmentBytes: 70000\n')
    const shown = await print('serve', '--config', file)
    const nodes = [
      { name: 'n1', address: '127.0.0.1:1' },
      { name: 'n2', address: '127.0.0.1:2' },
    ]
    expect(shown['bootstrap']?.value).toEqual(nodes)
    expect(shown['tuning.segmentBytes']?.value).toBe(70_000)
    writeFileSync(file, 'bootstrap: n1=127.0.0.1:1,n2=127.0.0.1:2\n')
    expect((await print('serve', '--config', file))['bootstrap']?.value).toEqual(nodes)
    writeFileSync(file, 'join: ["127.0.0.1:1", "127.0.0.1:2"]\n')
    vi.stubEnv('QUORATE_CONFIG', file)
    expect((await print())['join']?.value).toEqual(['127.0.0.1:1', '127.0.0.1:2'])
  })

  test('of dev come from a file too, and an empty file says nothing', async () => {
    writeFileSync(file, 'nodes: 5\nport: 9000\n')
    const shown = await print('dev', '--config', file, '--port', '9100')
    expect([shown['nodes']?.value, shown['port']?.value, shown['shards']?.value]).toEqual([5, 9100, null])
    writeFileSync(file, '# nothing\n')
    expect((await print('dev', '--config', file))['nodes']?.source).toBe('not set')
  })

  test('that are switches are off where the environment says false', async () => {
    vi.stubEnv('QUORATE_INSECURE_NETWORK', 'false')
    expect((await print('serve'))['insecureNetwork']?.value).toBe(false)
    vi.stubEnv('QUORATE_INSECURE_NETWORK', 'true')
    expect((await print('serve', '--listen', '10.0.0.1:7400'))['insecureNetwork']).toMatchObject({
      value: true,
      source: 'environment QUORATE_INSECURE_NETWORK',
    })
    vi.stubEnv('QUORATE_INSECURE_NETWORK', 'perhaps')
    expect(await refused('')).toMatch(/QUORATE_INSECURE_NETWORK: "perhaps" is neither true nor false/)
  })

  test('print as a table, as YAML, as lines of JSON and as names', async () => {
    const shown = async (...args: string[]) =>
      (await openTerminal().type('config', 'print', 'dev', ...args)).out
    expect(await shown()).toMatch(/^SETTING +VALUE +SOURCE\nnodes +- +not set\n/)
    expect(await shown('-o', 'yaml')).toMatch(/^- setting: nodes\n {2}value: null\n/)
    expect(await shown('-o', 'jsonl')).toMatch(/^\{"setting":"nodes",.*\}\n\{/)
    expect(await shown('-o', 'name')).toMatch(/^nodes\nshards\n/)
  })
})

describe('a file is refused with the place of what is wrong', () => {
  test('for keys that nobody knows, with what was meant', async () => {
    expect(await refused('id: n1\nlistn: 127.0.0.1:1\n')).toBe(
      'error: FILE:2: unknown key listn\nhint: did you mean listen?\n',
    )
    expect(await refused('log:\n  # a comment\n  levle: warn\n')).toBe(
      'error: FILE:3: unknown key log.levle\nhint: did you mean log.level?\n',
    )
    expect(await refused('zzzzzzzzzzzzzz: 1\n')).toMatch(/hint: there are id, data, listen, /)
    expect(await refused('__proto__:\n  id: n1\n')).toMatch(/unknown key __proto__/)
    expect(await refused('constructor: 1\n')).toMatch(/unknown key constructor/)
  })

  test('for values that are none', async () => {
    for (const [text, words] of [
      ['listen: 127.0.0.1\n', /FILE:1: listen: "127\.0\.0\.1" is not host:port/],
      ['id: n1\nshards: many\n', /FILE:2: shards: Write an integer from 1 to 1024/],
      ['shards: 1025\n', /FILE:1: shards: Write an integer/],
      ['shards:\n', /FILE:1: shards: /],
      ['insecureNetwork: "yes"\n', /FILE:1: insecureNetwork: .*boolean/],
      ['log: warn\n', /FILE:1: log: .*object/],
      ['log:\n  level: loud\n', /FILE:2: log\.level: .*"debug"\|"info"/],
      ['bootstrap: [n1]\n', /FILE:1: bootstrap: /],
      ['bootstrap: {n1: "127.0.0.1:1", n2: "127.0.0.1:1"}\n', /FILE:1: bootstrap: An address is there twice/],
      ['- id\n', /FILE:1: .*object/],
      ['just text\n', /FILE:1: .*object/],
    ] as const)
      expect(await refused(text), text).toMatch(words)
  })

  test('for what is not YAML, or not one document', async () => {
    expect(await refused('id: n1\n  data: [\n')).toMatch(/FILE:\d: not YAML: /)
    expect(await refused('id: n1\nid: n2\n')).toMatch(/FILE:2: not YAML: .*unique/)
    expect(await refused('id: n1\n---\nid: n2\n')).toMatch(/not YAML: .*multiple documents/)
    const bomb = `a: &a [x,x,x,x,x,x,x,x,x,x]\n${'bcdefghi'.replaceAll(/./g, (key) => {
      const before = String.fromCodePoint((key.codePointAt(0) ?? 0) - 1)
      return `${key}: &${key} [${Array.from({ length: 10 }, () => `*${before}`).join(',')}]\n`
    })}`
    expect(await refused(bomb)).toMatch(/error: .*alias/i)
  })

  test('for a file that is not there, is a directory, or is endless', async () => {
    const type = (name: string) => openTerminal().type('config', 'print', 'serve', '--config', name)
    expect(await type(path.join(directory, 'none.yaml'))).toMatchObject({
      code: 2,
      err: expect.stringMatching(/cannot read the settings in .*none\.yaml: ENOENT/) as string,
    })
    expect((await type(directory)).err).toMatch(/EISDIR/)
    expect(await refused(`# ${'x'.repeat(1_100_000)}\n`)).toMatch(/more than 1048576 bytes/)
  })
})

describe('settings that contradict each other are refused', () => {
  test('wherever they come from', async () => {
    expect(await refused('bootstrap: {n1: "127.0.0.1:1"}\n', '--join', '127.0.0.1:2')).toMatch(
      /--bootstrap \(file FILE:1\) and --join \(flag --join\) contradict each other/,
    )
    expect(await refused('listen: 127.0.0.1:1\nhttp: 127.0.0.1:1\n')).toMatch(/--listen and --http are both/)
  })

  test('addresses beyond this machine want consent, each of the three', async () => {
    for (const key of ['listen', 'peerListen', 'http'])
      for (const host of ['0.0.0.0', '10.0.0.1', 'example.org', '[::]', '128.0.0.1'])
        expect(await refused(`${key}: "${host}:7400"\n`), host).toMatch(
          /is not a loopback address[^]*hint: .*--insecure-network/,
        )
    writeFileSync(
      file,
      'listen: 10.0.0.1:1\npeerListen: 10.0.0.1:2\nhttp: 0.0.0.0:3\ninsecureNetwork: true\n',
    )
    await print('serve', '--config', file)
    for (const host of ['localhost', '127.0.0.1', '127.3.2.1', '[::1]'])
      await print('serve', '--listen', `${host}:1`)
  })
})

test('serve says which required settings are missing, and where they can be given', async () => {
  writeFileSync(file, 'id: n1\ndata: somewhere\n')
  const { code, err } = await openTerminal().type('serve', '--config', file)
  expect(code).toBe(2)
  expect(err).toMatch(/error: --listen, --peer-listen are missing\nhint: .*QUORATE_LISTEN/)
})

test('the settings that docs/operating.md shows, in a file and as flags, are accepted and the same', async () => {
  const page = readFileSync(path.resolve(import.meta.dirname, '../../../docs/operating.md'), 'utf8')
  writeFileSync(file, /```yaml\n([^]*?)```/.exec(page)?.[1] ?? '')
  const fromFile = await print('serve', '--config', file)
  const flags = /\nquorate serve (--id [^]*?)\n```/.exec(page)?.[1] ?? ''
  const words = flags
    .replaceAll(/[[\]\\]/g, ' ')
    .trim()
    .split(/\s+/)
  const fromFlags = await print('serve', ...words)
  for (const name of ['id', 'data', 'listen', 'peerListen', 'bootstrap', 'insecureNetwork'])
    expect(fromFile[name]?.value, name).toEqual(fromFlags[name]?.value)
  expect(fromFile['log.level']?.value).toBe('warn')
})

test('the nearest word is one that takes few changes, or none', () => {
  expect(nearest('shard', ['id', 'shards'])).toBe('shards')
  expect(nearest('HTTP', ['http'])).toBe('http')
  expect(nearest('frobnicate', ['id', 'shards'])).toBe(null)
  expect(nearest('x', [])).toBe(null)
})
