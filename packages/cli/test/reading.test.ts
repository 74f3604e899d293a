// The commands that tell of a cluster, over reports that the test makes up.
import { slotOf, encodeKey } from '@quorate/protocol'
import type { NodeStatus } from '@quorate/node'
import { beforeEach, describe, expect, test, vi } from 'vitest'
import { frame, rate } from '../src/top/frame.ts'
import { ratesBetween } from '../src/top/sample.ts'
import {
  answered,
  nodeStatus,
  openTerminal,
  shardMap,
  shardStatus,
  type Terminal,
  unanswered,
} from './fake-cache.ts'

let terminal: Terminal
beforeEach(() => {
  terminal = openTerminal()
  fill(terminal)
})

const names = ['n1', 'n2', 'n3']

/** Three nodes, two shards on all of them; n1 leads the meta group and shard 1, n2 shard 2. */
function fill({ cache }: Terminal, change: Partial<NodeStatus> = {}): void {
  cache.map = shardMap([names, names], names)
  cache.reports = names.map((name, index) => {
    const role = (leads: boolean) => (leads ? 'leader' : 'follower')
    const shards = [0, 1, 2].map((group) => shardStatus(group, role(index === (group === 2 ? 1 : 0))))
    return answered({ ...nodeStatus(name, shards), ...(index === 0 ? change : {}) })
  })
}

describe('nodes, shards and ring', () => {
  test('nodes lists each node with what it leads; names alone for a shell', async () => {
    const { code, out } = await terminal.type('nodes')
    expect(code).toBe(0)
    expect(out).toMatch(/^NODE +STATE +ADDRESS +PID +LEADS\nn1 +serving +n1:7400 +100 +2\nn2 /)
    expect((await terminal.type('nodes', '-o', 'name')).out).toBe('n1\nn2\nn3\n')
    terminal.cache.reports = [...terminal.cache.reports.slice(0, 2), unanswered('n3')]
    const records = JSON.parse((await terminal.type('nodes', '-o', 'json')).out) as object[]
    expect(records[0]).toMatchObject({ id: 'n1', state: 'serving', leads: 2, replicas: 3, boot: 1 })
    expect(records[2]).toMatchObject({ id: 'n3', state: 'unreachable', error: /CANNOT_CONNECT/ })
  })

  test('shards lists each shard with who hosts it', async () => {
    const lines = (await terminal.type('shards', '-o', 'jsonl')).out.trimEnd().split('\n')
    expect(lines.map((line) => JSON.parse(line) as object)).toMatchObject([
      { group: 0, leader: 'n1' },
      { group: 1, leader: 'n1', nodes: names, replicas: 3 },
      { group: 2, leader: 'n2', nodes: names },
    ])
    expect((await terminal.type('shards', '-o', 'name')).out).toBe('meta\n1\n2\n')
  })

  test('ring lists runs of slots without a gap', async () => {
    expect((await terminal.type('ring')).out).toBe(
      'SLOTS       COUNT  SHARD  NODES\n0-8191      8192   1      n1,n2,n3\n8192-16383  8192   2      n1,n2,n3\n',
    )
    terminal.cache.map = shardMap([])
    expect((await terminal.type('ring', '-o', 'yaml')).out).toBe(
      '- first: 0\n  last: 16383\n  shard: 0\n  nodes: []\n',
    )
  })
})

describe('locate', () => {
  test('tells slot, shard, leader and nodes of keys; equal braces are one slot', async () => {
    const { out } = await terminal.type('locate', '{cart}:1', '{cart}:2', 'user:1', '-o', 'json')
    const [one, other, user] = JSON.parse(out) as { slot: number; shard: number; leader: string }[]
    expect(one?.slot).toBe(other?.slot)
    const slot = slotOf(encodeKey('user:1'))
    const shard = slot < 8192 ? 1 : 2
    expect(user).toEqual({ key: 'user:1', slot, shard, leader: shard === 1 ? 'n1' : 'n2', nodes: names })
  })

  test('a key that nobody serves has no leader, a key that is none is a mistake', async () => {
    terminal.cache.reports = [unanswered('n1'), unanswered('n2'), unanswered('n3')]
    expect((await terminal.type('locate', 'k')).out).toMatch(/NONE/)
    expect((await terminal.type('locate', 'x'.repeat(100_000))).code).toBe(2)
  })
})

describe('health', () => {
  const verdict = async () => {
    const { code, out } = await terminal.type('health', '-o', 'json')
    const { verdict: word, checks } = JSON.parse(out) as {
      verdict: string
      checks: { name: string; ok: boolean; detail: string }[]
    }
    return {
      code,
      word,
      wrong: checks.filter(({ ok }) => !ok).map(({ name, detail }) => `${name}: ${detail}`),
    }
  }

  test('exits 0 if every node answers and every shard is whole', async () => {
    expect(await verdict()).toEqual({ code: 0, word: 'healthy', wrong: [] })
    const { out } = await terminal.type('health')
    expect(out).toMatch(/^CHECK\nnode n1 +ok +n1:7400\n/)
    expect(out).toMatch(/\nshard meta +ok +led by n1, 3 replicas\n[^]*\nhealthy\n$/)
  })

  test('a node that is down degrades what it hosts, and exits 5', async () => {
    terminal.cache.reports = [...terminal.cache.reports.slice(0, 2), unanswered('n3')]
    const { code, word, wrong } = await verdict()
    expect([code, word]).toEqual([5, 'degraded'])
    expect(wrong).toEqual([
      expect.stringMatching(/^node n3: CANNOT_CONNECT/),
      'shard meta: led by n1; 2 of 3 replicas answer',
      'shard 1: led by n1; 2 of 3 replicas answer',
      'shard 2: led by n2; 2 of 3 replicas answer',
    ])
  })

  test('a shard without a leader, a shard that nobody reports, slots of nobody are unhealthy', async () => {
    fill(terminal, { shards: [shardStatus(0, 'leader'), shardStatus(1, 'follower')] })
    expect(await verdict()).toMatchObject({
      word: 'unhealthy',
      wrong: expect.arrayContaining(['shard 1: no leader serves it']) as string[],
    })
    terminal.cache.reports = []
    expect((await verdict()).wrong).toContain('shard 2: no node that answers hosts it')
    terminal.cache.map = shardMap([])
    expect((await verdict()).wrong).toContain('slots: some belong to no shard yet')
  })

  test('a stopped replica and a full disk degrade', async () => {
    fill(terminal, { lowOnSpace: true })
    expect((await verdict()).wrong).toEqual(['node n1: low on space: refuses writes'])
    const stopped = shardStatus(2, 'follower', { state: 'stopped', reason: 'broken' })
    fill(terminal, { shards: [shardStatus(0, 'leader'), shardStatus(1, 'leader'), stopped] })
    expect(await verdict()).toMatchObject({
      code: 5,
      word: 'degraded',
      wrong: ['shard 2: led by n2; n1 stopped: broken'],
    })
  })
})

describe('top', () => {
  const at = (reads: number, commitIndex: number, change: Partial<NodeStatus> = {}): NodeStatus => ({
    ...nodeStatus('n1', [
      shardStatus(1, 'leader', { commitIndex, appliedIndex: commitIndex }),
      shardStatus(2, 'leader'),
    ]),
    clients: { connections: 2, reads, writes: 0 },
    ...change,
  })

  test('rates are what happened per second, the busiest shard first; a new life begins anew', () => {
    const rates = ratesBetween({ atMs: 0, nodes: [at(100, 10)] }, { atMs: 2000, nodes: [at(500, 30)] })
    expect(rates.nodes[0]).toMatchObject({
      readsPerSecond: 200,
      writesPerSecond: 0,
      connections: 2,
      leads: 2,
    })
    expect(rates.shards.map(({ group, commitsPerSecond }) => [group, commitsPerSecond])).toEqual([
      [1, 10],
      [2, 0],
    ])
    const again = ratesBetween(
      { atMs: 0, nodes: [at(100, 10)] },
      { atMs: 2000, nodes: [at(5, 30, { boot: 2 })] },
    )
    expect(again.nodes[0]).toMatchObject({ readsPerSecond: null, syncsPerSecond: null })
    expect(ratesBetween(null, { atMs: 0, nodes: [at(1, 1)] }).nodes[0]?.readsPerSecond).toBe(null)
  })

  test('a node of an older version, which tells of no clients, is shown without them', () => {
    const { clients: _, ...older } = at(1, 1)
    expect(frame(ratesBetween(null, { atMs: 0, nodes: [older] }), null, false)).toMatch(
      /\nn1 +serving +2 +- +- /,
    )
  })

  test('a frame has no more lines than the terminal', () => {
    const shards = Array.from({ length: 50 }, (_, index) => shardStatus(index + 1, 'leader'))
    const picture = frame(ratesBetween(null, { atMs: 0, nodes: [at(1, 1, { shards })] }), 20, false)
    expect(picture.split('\n').length).toBeLessThanOrEqual(20)
    expect(picture).toMatch(/36 more shards\n$/)
  })

  test('numbers are short', () => {
    expect([null, 0, 0.25, 9.94, 950.4, 12_345, 45_600_000].map(rate)).toEqual([
      '-',
      '0',
      '0.3',
      '9.9',
      '950',
      '12.3k',
      '45.6M',
    ])
  })

  test('--once and a pipe print one picture; a terminal is drawn anew until Ctrl-C, and gets its screen back', async () => {
    for (const args of [['top', '--once'], ['top']]) {
      const { code, out } = await terminal.type(...args, '--interval', '1ms')
      expect([code, out.match(/^NODE/gm)?.length, out.includes('\u001b')]).toEqual([0, 1, false])
    }
    const screen = openTerminal({ outIsTerminal: true })
    fill(screen)
    const looks = vi.spyOn(screen.cache, 'status')
    const typed = screen.type('top', '--interval', '1ms')
    await vi.waitUntil(() => looks.mock.calls.length >= 3, { timeout: 30_000 })
    screen.interruption.abort()
    const { code, out } = await typed
    expect(code).toBe(0)
    expect(out.startsWith('\u001b[?1049h')).toBe(true)
    expect(out.endsWith('\u001b[?1049l')).toBe(true)
    expect(out.split('\u001b[H').length).toBeGreaterThan(3)
  })
})

test('a connection that takes long is told of on a terminal, until it is there; never in a pipe', async () => {
  for (const errIsTerminal of [true, false]) {
    const slow = openTerminal({ errIsTerminal })
    fill(slow)
    let connected: () => void = () => undefined
    slow.connecting = new Promise<void>((resolve) => (connected = resolve))
    vi.useFakeTimers()
    const typed = slow.type('nodes', '-o', 'name')
    await vi.advanceTimersByTimeAsync(900)
    const early = slow.said()
    await vi.advanceTimersByTimeAsync(400)
    const late = slow.said()
    connected()
    vi.useRealTimers()
    const { out, err } = await typed
    expect([early, late.includes('connecting to 127.0.0.1:7400')]).toEqual(['', errIsTerminal])
    expect([out, err.endsWith(errIsTerminal ? '\r\u001b[K' : '')]).toEqual(['n1\nn2\nn3\n', true])
  }
})

describe('colours', () => {
  const painted = async (isTerminal: boolean, ...args: string[]) => {
    const shown = openTerminal({ outIsTerminal: isTerminal, errIsTerminal: isTerminal })
    fill(shown)
    return (await shown.type('nodes', ...args)).out.includes('\u001b[')
  }

  test('are for terminals, unless NO_COLOR or --color say otherwise', async () => {
    vi.stubEnv('NO_COLOR', undefined)
    vi.stubEnv('TERM', 'xterm')
    try {
      expect([await painted(true), await painted(false)]).toEqual([true, false])
      expect([await painted(true, '--color', 'never'), await painted(false, '--color', 'always')]).toEqual([
        false,
        true,
      ])
      vi.stubEnv('TERM', 'dumb')
      expect(await painted(true)).toBe(false)
      vi.stubEnv('TERM', 'xterm')
      vi.stubEnv('NO_COLOR', '1')
      expect([await painted(true), await painted(true, '--color', 'always')]).toEqual([false, true])
      vi.stubEnv('QUORATE_COLOR', 'always')
      expect(await painted(false)).toBe(true)
    } finally {
      vi.unstubAllEnvs()
    }
  })

  test('never come with what a node says: control characters are shown as ?', async () => {
    fill(terminal, { clientAddress: 'n1\u001b[2J\u009b:7400' })
    const { out } = await terminal.type('nodes')
    expect(out).toContain('n1?[2J?:7400')
  })
})

test('every command has help with examples, and every option of a client has a form in the environment', async () => {
  const all = (await terminal.type('--help')).out
  const commands = [...all.matchAll(/^ {2}([a-z]+) /gm)]
    .map(([, name = '']) => name)
    .filter((name) => name !== 'help')
  expect(commands).toEqual(expect.arrayContaining(['dev', 'serve', 'get', 'top', 'bench', 'completion']))
  for (const name of commands.filter((one) => one !== 'config')) {
    const { code, out } = await terminal.type(name, '--help')
    expect([code, out.includes('\nExamples:\n  ')], name).toEqual([0, true])
  }
  const { out } = await terminal.type('nodes', '--help')
  for (const variable of ['ENDPOINTS', 'TIMEOUT', 'OUTPUT', 'COLOR'])
    expect(out.replaceAll(/\s+/g, ' ')).toContain(`env: QUORATE_${variable}`)
})

test('an environment that says nonsense is a mistake of usage that names the variable', async () => {
  for (const [name, value] of [
    ['QUORATE_OUTPUT', 'xml'],
    ['QUORATE_TIMEOUT', 'soon'],
    ['QUORATE_ENDPOINTS', 'a:b'],
    ['QUORATE_COLOR', 'blue'],
  ] as const) {
    vi.stubEnv(name, value)
    const { code, err } = await terminal.type('nodes')
    vi.unstubAllEnvs()
    expect([code, err]).toEqual([2, expect.stringContaining(name)])
  }
})
