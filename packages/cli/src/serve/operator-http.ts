// The port for operators: is it alive, is it ready, its numbers. It only reads, and nothing that a client says is kept.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { QuorateNode, ReadinessCheck } from '@quorate/node'
import { createMetrics, type Metrics } from './metrics.ts'

/** A scraper, a load balancer, a person or two. */
const connectionsMax = 64
const headersTimeoutMs = 5000
const requestTimeoutMs = 10_000
const headerBytesMax = 8192

export interface OperatorHttp {
  /** As bound. */
  readonly address: string
  close(): Promise<void>
}

export interface OperatorParts {
  /** `host:port`. */
  readonly address: string
  readonly name: string
  readonly node: Pick<QuorateNode, 'measures' | 'readiness' | 'halted'>
}

/** Listens. Rejects with the error of the network, `EADDRINUSE` for instance. */
export async function openOperatorHttp({ address, name, node }: OperatorParts): Promise<OperatorHttp> {
  const metrics = createMetrics(node, name)
  let halted = false
  void node.halted.then(() => {
    halted = true
  })
  const server = createServer(
    {
      headersTimeout: headersTimeoutMs,
      requestTimeout: requestTimeoutMs,
      maxHeaderSize: headerBytesMax,
    },
    (request, response) => {
      answer(request, { node, metrics, halted })
        .then((reply) => send(request, response, reply))
        .catch((error: unknown) => send(request, response, failed(error)))
    },
  )
  server.maxConnections = connectionsMax
  const bound = await listen(server, address)
  return {
    address: bound,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

async function listen(server: Server, address: string): Promise<string> {
  const { host, port } = hostAndPort(address)
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen({ host, port }, () => {
      server.removeListener('error', reject)
      resolve()
    })
  })
  // What goes wrong with one connection later is that connection's end, not the process's.
  server.on('error', () => undefined)
  const { port: chosen } = server.address() as AddressInfo
  return `${address.slice(0, address.lastIndexOf(':'))}:${chosen}`
}

function hostAndPort(address: string): { readonly host: string; readonly port: number } {
  const at = address.lastIndexOf(':')
  return { host: address.slice(0, at).replace(/^\[(.*)\]$/, '$1'), port: Number(address.slice(at + 1)) }
}

interface Reply {
  readonly status: number
  readonly body: string
  readonly type?: string
}

interface Known {
  readonly node: OperatorParts['node']
  readonly metrics: Metrics
  readonly halted: boolean
}

async function answer(request: IncomingMessage, { node, metrics, halted }: Known): Promise<Reply> {
  if (request.method !== 'GET' && request.method !== 'HEAD')
    return { status: 405, body: 'only GET and HEAD\n' }
  const [path = '/', query = ''] = (request.url ?? '/').split('?', 2)
  switch (path) {
    case '/healthz':
      return halted ? { status: 503, body: 'halted\n' } : { status: 200, body: 'ok\n' }
    case '/readyz':
      return readiness(node.readiness(), new URLSearchParams(query).has('verbose'))
    case '/metrics':
      return { status: 200, body: await metrics.render(), type: metrics.contentType }
    case '/':
      return { status: 200, body: '/healthz\n/readyz\n/readyz?verbose\n/metrics\n' }
    default:
      return { status: 404, body: 'there are /healthz, /readyz?verbose and /metrics\n' }
  }
}

/** One line per check when asked for; the last line is the verdict. */
export function readiness(checks: readonly ReadinessCheck[], verbose: boolean): Reply {
  const failing = checks.filter(({ ok }) => !ok)
  const lines = checks.map(({ name, ok, detail }) => `[${ok ? '+' : '-'}] ${name}: ${detail}\n`)
  const verdict = failing.length === 0 ? 'ready' : `not ready: ${failing.map(({ name }) => name).join(', ')}`
  return { status: failing.length === 0 ? 200 : 503, body: `${verbose ? lines.join('') : ''}${verdict}\n` }
}

const failed = (error: unknown): Reply => ({
  status: 500,
  body: `${error instanceof Error ? error.message : String(error)}\n`,
})

function send(request: IncomingMessage, response: ServerResponse, { status, body, type }: Reply): void {
  response.writeHead(status, {
    'content-type': type ?? 'text/plain; charset=utf-8',
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
    ...(status === 405 ? { allow: 'GET, HEAD' } : {}),
  })
  response.end(request.method === 'HEAD' ? undefined : body)
}
