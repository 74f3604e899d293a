import { QuorateError } from '@quorate/protocol'
import { beforeEach, expect, test } from 'vitest'
import { openTerminal, type Terminal } from './fake-cache.ts'

let terminal: Terminal
beforeEach(() => {
  terminal = openTerminal()
})

test('get prints a string bare and ends its line', async () => {
  terminal.cache.entries.set('k', { value: 'two words', version: 4 })
  expect(await terminal.type('get', 'k')).toEqual({ code: 0, out: 'two words\n', err: '' })
})

test('get prints anything but a string as JSON', async () => {
  terminal.cache.entries.set('k', { value: { name: 'Ada', bytes: Buffer.from('hi') }, version: 4 })
  expect((await terminal.type('get', 'k')).out).toBe('{"name":"Ada","bytes":{"base64":"aGk="}}\n')
  terminal.cache.entries.set('k', { value: 5, version: 4 })
  expect((await terminal.type('get', 'k')).out).toBe('5\n')
})

test('get --consistency and --max-age say how to read; an age alone asks for a stale read; -o json tells the age', async () => {
  terminal.cache.entries.set('k', { value: 'v', version: 4, age: 12.5 })
  await terminal.type('get', 'k')
  await terminal.type('get', 'k', '--consistency', 'lease')
  await terminal.type('get', 'k', '--consistency', 'stale')
  await terminal.type('get', 'k', '--max-age', '5s')
  await terminal.type('get', 'k', '--max-age', '0')
  expect(terminal.cache.reads).toEqual([
    {},
    { consistency: 'lease' },
    { consistency: 'stale' },
    { consistency: 'stale', maxAge: 5_000 },
    { consistency: 'stale', maxAge: 0 },
  ])
  expect((await terminal.type('get', 'k', '-o', 'json')).out).toBe(
    '{"key":"k","value":"v","version":4,"age":12.5}\n',
  )
})

test('a miss prints nothing and exits 3', async () => {
  expect(await terminal.type('get', 'k')).toEqual({ code: 3, out: '', err: '' })
})

test('get -o json gives key, value and version', async () => {
  terminal.cache.entries.set('k', { value: 'v', version: 4 })
  expect((await terminal.type('get', 'k', '-o', 'json')).out).toBe('{"key":"k","value":"v","version":4}\n')
})

test('set stores a string, and an integer where one is written, so that incr works after it', async () => {
  await terminal.type('set', 'text', '5 apples')
  await terminal.type('set', 'count', '-5')
  expect(terminal.cache.entries.get('text')?.value).toBe('5 apples')
  expect(terminal.cache.entries.get('count')?.value).toBe(-5)
  expect(await terminal.type('incr', 'count')).toEqual({ code: 0, out: '-4\n', err: '' })
  expect(await terminal.type('incr', 'count', '-6')).toEqual({ code: 0, out: '-10\n', err: '' })
})

test('set --json stores what the JSON says and refuses what is none', async () => {
  await terminal.type('set', 'k', '{"a":[1,null]}', '--json')
  expect(terminal.cache.entries.get('k')?.value).toEqual({ a: [1, null] })
  const { code, err } = await terminal.type('set', 'k', 'text', '--json')
  expect(code).toBe(2)
  expect(err).toContain('hint: ')
})

test('a lost condition exits 3 and tells what was seen', async () => {
  await terminal.type('set', 'k', 'first')
  expect((await terminal.type('set', 'k', 'second', '--if-absent')).code).toBe(3)
  expect((await terminal.type('set', 'other', 'v', '--if-present')).err).toBe(
    'condition false: no such key\n',
  )
  const lost = await terminal.type('set', 'k', 'second', '--if-version', '9', '-o', 'json')
  expect(lost).toEqual({ code: 3, out: '{"applied":false,"version":1,"value":"first"}\n', err: '' })
  expect((await terminal.type('set', 'k', 'second', '--if-version', '1')).code).toBe(0)
  expect(terminal.cache.entries.get('k')?.value).toBe('second')
})

test('conditions that contradict each other are a mistake of usage', async () => {
  for (const flags of [
    ['--if-absent', '--if-present'],
    ['--if-version', '1', '--if-absent'],
    ['--if-present', '--if-version', '1'],
  ])
    expect((await terminal.type('set', 'k', 'v', ...flags)).code, flags.join(' ')).toBe(2)
  expect(terminal.cache.entries.size).toBe(0)
})

test('-o name prints the key that was found or changed, -o yaml and -o jsonl what -o json says', async () => {
  const out = async (...args: string[]) => (await terminal.type(...args)).out
  expect(await out('set', 'k', '5', '-o', 'name')).toBe('k\n')
  expect(await out('set', 'k', '6', '--if-absent', '-o', 'name')).toBe('')
  expect(await out('get', 'k', '-o', 'name')).toBe('k\n')
  expect(await out('get', 'k', '-o', 'yaml')).toBe('key: k\nvalue: 5\nversion: 1\n')
  expect(await out('get', 'k', '-o', 'jsonl')).toBe('{"key":"k","value":5,"version":1}\n')
  expect(await out('incr', 'k', '-o', 'yaml')).toBe('value: 6\n')
  expect(await out('touch', 'k', '1m', '-o', 'name')).toBe('k\n')
  expect(await out('del', 'k', '-o', 'name')).toBe('k\n')
  expect(await out('del', 'k', '-o', 'name')).toBe('')
})

test('del exits 0 if the key was there and 3 if not', async () => {
  await terminal.type('set', 'k', 'v')
  expect(await terminal.type('del', 'k')).toEqual({ code: 0, out: '', err: '' })
  expect(await terminal.type('del', 'k', '-o', 'json')).toEqual({
    code: 3,
    out: '{"deleted":false}\n',
    err: '',
  })
})

test('set --ttl, touch and persist say how long a key lives, and get -o json until when', async () => {
  const json = async () => (await terminal.type('get', 'k', '-o', 'json')).out
  await terminal.type('set', 'k', 'v', '--ttl', '60s')
  expect(await json()).toBe('{"key":"k","value":"v","version":1,"expiresAt":60000}\n')
  expect(await terminal.type('touch', 'k', '1.5h')).toEqual({ code: 0, out: '', err: '' })
  expect(await json()).toContain('"expiresAt":5400000')
  expect((await terminal.type('persist', 'k', '-o', 'json')).out).toBe('{"found":true}\n')
  expect(await json()).not.toContain('expiresAt')
  for (const args of [
    ['touch', 'none', '7d'],
    ['persist', 'none'],
  ])
    expect(await terminal.type(...args)).toEqual({ code: 3, out: '', err: '' })
})

test('endpoints and timeout reach the client', async () => {
  await terminal.type('get', 'k', '--endpoints', 'quorate://a:1,b', '--timeout', '2s')
  await terminal.type('get', 'k')
  expect(terminal.connections).toEqual([
    { endpoints: ['a:1', 'b:7400'], timeout: 2000 },
    { endpoints: ['127.0.0.1:7400'], timeout: 5000 },
  ])
})

test('a command of a client closes its connection, also after a failure', async () => {
  await terminal.type('get', 'k')
  terminal.cache.failure = new QuorateError('TIMEOUT', 'unknown', 'late')
  await terminal.type('get', 'k')
  expect(terminal.cache.closed).toBe(2)
})

test('an unknown outcome exits 6 and says so, with code and hint', async () => {
  terminal.cache.failure = new QuorateError('TIMEOUT', 'unknown', 'no answer in 5 s', {
    hint: 'read it back',
  })
  expect(await terminal.type('set', 'k', 'v')).toEqual({
    code: 6,
    out: '',
    err: 'error: TIMEOUT (unknown): no answer in 5 s\nhint: read it back\n',
  })
  const { err } = await terminal.type('set', 'k', 'v', '-o', 'json')
  expect(JSON.parse(err)).toEqual({
    code: 'TIMEOUT',
    outcome: 'unknown',
    message: 'no answer in 5 s',
    hint: 'read it back',
  })
})

test('failures exit 1 if nothing was done, 2 for a bad key, 4 without a connection', async () => {
  const exit = async (code: 'NO_LEADER' | 'KEY_INVALID' | 'CANNOT_CONNECT') => {
    terminal.cache.failure = new QuorateError(code, 'not-done', 'x')
    return (await terminal.type('get', 'k')).code
  }
  expect([await exit('NO_LEADER'), await exit('KEY_INVALID'), await exit('CANNOT_CONNECT')]).toEqual([
    1, 2, 4,
  ])
})

test('whatever keeps a client from connecting exits 4, but for mistakes in what was typed', async () => {
  const exit = async (code: 'BAD_FRAME' | 'NO_LEADER' | 'TIMEOUT' | 'WRONG_CLUSTER' | 'ARGUMENT_INVALID') => {
    const refusing = openTerminal()
    refusing.refusal = new QuorateError(code, 'not-done', 'x', { hint: 'look' })
    const { code: ended, err } = await refusing.type('get', 'k')
    expect(err).toContain('hint: look')
    return ended
  }
  for (const code of ['BAD_FRAME', 'NO_LEADER', 'TIMEOUT', 'WRONG_CLUSTER'] as const)
    expect(await exit(code)).toBe(4)
  expect(await exit('ARGUMENT_INVALID')).toBe(2)
})

test('an operation that Ctrl-C ended exits 130', async () => {
  terminal.interruption.abort()
  terminal.cache.failure = new QuorateError('ABORTED', 'unknown', 'aborted')
  expect((await terminal.type('set', 'k', 'v')).code).toBe(130)
})

test('what was typed wrongly exits 2 and says what is wanted', async () => {
  for (const args of [
    ['frobnicate'],
    ['get'],
    ['get', 'k', 'extra'],
    ['get', 'k', '--endpoints', 'a:b'],
    ['get', 'k', '--timeout', 'soon'],
    ['get', 'k', '-o', 'xml'],
    ['get', 'k', '--consistency', 'eventual'],
    ['get', 'k', '--max-age', 'old'],
    ['incr', 'k', '1.5'],
    ['set', 'k', 'v', '--if-version', '0'],
    ['set', 'k', 'v', '--ttl', '60'],
    ['set', 'k', 'v', '--ttl', '0s'],
    ['set', 'k', 'v', '--ttl', '3653d'],
    ['touch', 'k', '1.5ms'],
    ['touch', 'k'],
    ['dev', '--nodes', '0'],
    ['dev', '--port', '65500'],
    ['serve', '--id', 'n1'],
  ]) {
    const { code, out, err } = await terminal.type(...args)
    expect({ code, out }, args.join(' ')).toEqual({ code: 2, out: '' })
    expect(err, args.join(' ')).toMatch(/error: /)
  }
})

test('--help and --version exit 0', async () => {
  expect((await terminal.type('--help')).out).toContain('status')
  expect((await terminal.type('--version')).out).toMatch(/^\d+\.\d+\.\d+\n$/)
})
