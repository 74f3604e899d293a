// The port for operators on a real socket, over a node that says what the test wants.
import { readFileSync } from 'node:fs'
import { connect } from 'node:net'
import path from 'node:path'
import type { NodeMeasures, ReadinessCheck } from '@quorate/node'
import { afterEach, describe, expect, test } from 'vitest'
import { metricDefinitions } from '../src/serve/node-metrics.ts'
import { openOperatorHttp, type OperatorHttp } from '../src/serve/operator-http.ts'

const measures: NodeMeasures = {
  mapEpoch: 9,
  lowOnSpace: false,
  log: {
    batches: 5,
    syncs: 4,
    bytesWritten: 1000,
    segments: 2,
    busyMs: 250,
    durations: { counts: [1, 0, 2, ...Array.from({ length: 14 }, () => 0), 1].slice(0, 17), sumMs: 3 },
  },
  clients: {
    connections: 3,
    requests: [
      { kind: 'read', outcome: 'answered', count: 7 },
      { kind: 'write', outcome: 'NOT_LEADER', count: 2 },
    ],
    operations: { read: 70, write: 0 },
  },
  overlayBytes: 11,
  peers: [
    { name: 'n2', heardMsAgo: 100 },
    { name: 'n3', heardMsAgo: null },
  ],
  shards: [0, 1].map((group) => ({
    group,
    state: group === 0 ? 'live' : 'condemned',
    role: group === 0 ? 'leader' : 'follower',
    leaderKnown: group === 0,
    servesReads: group === 0,
    term: 3,
    lastIndex: 12,
    commitIndex: 11,
    appliedIndex: 10,
    checkpointIndex: 5,
    slots: 1,
    keys: 2,
    bytes: 3,
    sessions: 4,
    queuedBytes: 5,
    snapshotsInstalled: 6,
  })),
}

let http: OperatorHttp
let asked = 0
let checks: ReadinessCheck[] = []
let told: NodeMeasures | null = measures
let halt: (error: Error) => void = () => undefined

async function open(): Promise<void> {
  asked = 0
  told = measures
  checks = [{ name: 'running', ok: true, detail: 'running' }]
  http = await openOperatorHttp({
    address: '127.0.0.1:0',
    name: 'n1',
    node: {
      readiness: () => checks,
      measures: () => {
        asked += 1
        return told
      },
      halted: new Promise((resolve) => (halt = resolve)),
    },
  })
}

afterEach(async () => http.close())

async function ask(pathname: string, init: RequestInit = {}): Promise<{ status: number; body: string }> {
  const response = await fetch(`http://${http.address}${pathname}`, init)
  return { status: response.status, body: await response.text() }
}

describe('/healthz and /readyz', () => {
  test('healthz is ok until the node halts', async () => {
    await open()
    expect(await ask('/healthz')).toEqual({ status: 200, body: 'ok\n' })
    halt(new Error('disk'))
    expect(await ask('/healthz')).toEqual({ status: 503, body: 'halted\n' })
  })

  test('readyz is 503 as long as one check fails, and says which; verbose gives a line for each', async () => {
    await open()
    expect(await ask('/readyz')).toEqual({ status: 200, body: 'ready\n' })
    checks.push({ name: 'shard 3', ok: false, detail: 'hears no leader' })
    expect(await ask('/readyz')).toEqual({ status: 503, body: 'not ready: shard 3\n' })
    expect(await ask('/readyz?verbose')).toEqual({
      status: 503,
      body: '[+] running: running\n[-] shard 3: hears no leader\nnot ready: shard 3\n',
    })
  })

  test('what is not there is 404, what only writes is 405, HEAD has no body', async () => {
    await open()
    expect((await ask('/readyz/../etc')).status).toBe(404)
    expect((await ask('/healthz', { method: 'POST', body: 'x' })).status).toBe(405)
    expect(await ask('/healthz', { method: 'HEAD' })).toEqual({ status: 200, body: '' })
    expect((await ask('/')).body).toContain('/metrics')
  })

  test('bytes that are no HTTP are answered with 400 and cut off; others are served', async () => {
    await open()
    const [host = '', port = ''] = http.address.split(':')
    const heard = await new Promise<string>((resolve) => {
      let text = ''
      const socket = connect({ host, port: Number(port) }, () =>
        socket.write('\u0000\u0001 nonsense\r\n\r\n'),
      )
      socket.on('data', (bytes) => (text += bytes.toString('latin1')))
      socket.on('error', () => undefined)
      socket.on('close', () => resolve(text))
    })
    expect(heard).toMatch(/^HTTP\/1\.1 400/)
    expect((await ask('/healthz')).status).toBe(200)
  })

  test('a port that is in use is the error of the network', async () => {
    await open()
    const again = openOperatorHttp({
      address: http.address,
      name: 'n2',
      node: { readiness: () => [], measures: () => null, halted: new Promise(() => undefined) },
    })
    await expect(again).rejects.toMatchObject({ code: 'EADDRINUSE' })
  })
})

describe('/metrics', () => {
  test('shows the measures of one moment, with the name of the node', async () => {
    await open()
    const { status, body } = await ask('/metrics')
    expect(status).toBe(200)
    for (const line of [
      'quorate_map_epoch{node="n1"} 9',
      'quorate_ready{node="n1"} 1',
      'quorate_log_syncs_total{node="n1"} 4',
      'quorate_log_busy_seconds{node="n1"} 0.25',
      'quorate_client_requests_total{kind="read",outcome="answered",node="n1"} 7',
      'quorate_client_requests_total{kind="write",outcome="NOT_LEADER",node="n1"} 2',
      'quorate_client_operations_total{kind="read",node="n1"} 70',
      'quorate_peer_silence_seconds{peer="n2",node="n1"} 0.1',
      'quorate_shard_role{shard="meta",role="leader",node="n1"} 1',
      'quorate_shard_live{shard="1",node="n1"} 0',
      'quorate_shard_lag{shard="1",node="n1"} 1',
      'quorate_log_write_seconds_bucket{le="0.0001",node="n1"} 1',
      'quorate_log_write_seconds_bucket{le="0.0005",node="n1"} 3',
      'quorate_log_write_seconds_bucket{le="+Inf",node="n1"} 3',
      'quorate_log_write_seconds_sum{node="n1"} 0.003',
      'quorate_log_write_seconds_count{node="n1"} 3',
    ])
      expect(body.split('\n')).toContain(line)
    expect(body).not.toContain('peer="n3"')
    expect(body).toMatch(/^quorate_nodejs_eventloop_lag_seconds\{/m)
    expect(body).toMatch(/^quorate_process_cpu_seconds_total\{/m)
    expect(asked).toBe(1)
  })

  test('forgets a shard that is no longer hosted here, and shows no measures before there are any', async () => {
    await open()
    expect((await ask('/metrics')).body).toContain('quorate_shard_keys{shard="1"')
    told = { ...measures, shards: measures.shards.slice(0, 1) }
    const { body } = await ask('/metrics')
    expect(body).toContain('quorate_shard_keys{shard="meta"')
    expect(body).not.toContain('shard="1"')
    told = null
    expect(await ask('/metrics')).toMatchObject({
      status: 200,
      body: expect.not.stringContaining('quorate_shard_keys{') as string,
    })
  })

  test('docs/metrics.md has every metric with its type and help, and no others', async () => {
    await open()
    const { body } = await ask('/metrics')
    // What the library tells of a process differs between systems.
    const own = /^# TYPE (quorate_(?!process_|nodejs_)\w+) (\w+)$/gm
    const served = [...body.matchAll(own)].map(([, name = '', type = '']) => `${name} ${type}`)
    const page = readFileSync(path.resolve(import.meta.dirname, '../../../docs/metrics.md'), 'utf8')
    const documented = [...page.matchAll(/^\| `(\w+)` \| (\w+) \|/gm)].map(
      ([, name = '', type = '']) => `${name} ${type}`,
    )
    expect(documented.toSorted()).toEqual(served.toSorted())
    for (const { name, help } of metricDefinitions) expect(page, name).toContain(help)
  })
})
