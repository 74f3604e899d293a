// Sessions of two web servers over three real nodes.
import { type Server, createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { IncomingMessage, ServerResponse } from 'node:http'
import session from 'express-session'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { QuorateSessionStore } from '../src/index.ts'
import { type DevCluster, startDevCluster } from '../../keyv/test/dev-cluster.ts'

declare module 'express-session' {
  interface SessionData {
    visits: number
  }
}

let cluster: DevCluster
const servers: Server[] = []
beforeAll(async () => {
  cluster = await startDevCluster()
}, 90_000)
afterAll(async () => {
  for (const server of servers) server.close()
  await cluster.stop()
})

const soon = { timeout: 20_000, interval: 50 }

interface Answer {
  readonly status: number
  readonly text: string
  readonly cookie: string | undefined
}

/** A web server that counts visits; `/out` ends the session, `/look` changes nothing. Returns how to ask it. */
async function serve(maxAge?: number): Promise<(path: string, cookie?: string) => Promise<Answer>> {
  const middleware = session({
    secret: 'a test',
    resave: false,
    saveUninitialized: false,
    store: new QuorateSessionStore(cluster.cache),
    cookie: maxAge === undefined ? {} : { maxAge },
  })
  const server = createServer((request: IncomingMessage, response: ServerResponse) => {
    const fail = (error: unknown): void => void response.writeHead(500).end(String(error))
    // The middleware needs of express no more than what node's own server has.
    const req = request as Parameters<typeof middleware>[0]
    middleware(req, response as Parameters<typeof middleware>[1], (error?: unknown) => {
      if (error !== undefined) return fail(error)
      if (request.url === '/out') return req.session.destroy(() => response.end('out'))
      if (request.url !== '/look') req.session.visits = (req.session.visits ?? 0) + 1
      response.end(String(req.session.visits ?? 0))
    })
  })
  servers.push(server)
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return async (path, cookie) => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, {
      headers: cookie === undefined ? {} : { cookie },
    })
    const set = response.headers.get('set-cookie')?.split(';')[0]
    return { status: response.status, text: await response.text(), cookie: set ?? cookie }
  }
}

test('what one server put into a session the other one has with the next request', async () => {
  const [one, other] = [await serve(), await serve()]
  const { cookie, text } = await one('/')
  expect(text).toBe('1')
  for (let visits = 2; visits < 12; visits += 1)
    expect((await (visits % 2 === 0 ? other : one)('/', cookie)).text).toBe(`${visits}`)
})

test('a session that was ended is ended for every server', async () => {
  const [one, other] = [await serve(), await serve()]
  const { cookie } = await one('/')
  expect((await other('/out', cookie)).text).toBe('out')
  expect((await one('/look', cookie)).text).toBe('0')
})

test('a session ends with its cookie’s age, and every request prolongs it', async () => {
  const web = await serve(1_500)
  const { cookie } = await web('/')
  const id = /s%3A([^.]+)/.exec(cookie ?? '')?.[1] ?? ''
  const entry = async () => cluster.cache.keyspace('session:', { codec: 'json' }).getEntry(id)
  const first = (await entry())?.expiresAt ?? 0
  expect(first).toBeGreaterThan(0)
  await vi.waitFor(async () => {
    await web('/look', cookie)
    expect((await entry())?.expiresAt).toBeGreaterThan(first)
  }, soon)
  await vi.waitFor(async () => expect(await entry()).toBeUndefined(), soon)
  expect((await web('/look', cookie)).text).toBe('0')
})

test('a session without an age stays for the store’s ttl, and an age that is over ends it', async () => {
  const store = new QuorateSessionStore(cluster.cache, { prefix: 'own:', ttl: 60_000 })
  const cookie = new session.Cookie()
  const save = (data: session.SessionData) =>
    new Promise<void>((resolve, reject) =>
      store.set('id', data, (error: unknown) => (error instanceof Error ? reject(error) : resolve())),
    )
  await save({ cookie, visits: 5 })
  const entry = await cluster.cache.keyspace('own:', { codec: 'json' }).getEntry('id')
  expect(entry?.expiresAt).toBeGreaterThan(0)
  cookie.maxAge = -5
  await save({ cookie, visits: 6 })
  expect(await cluster.cache.get('own:id')).toBeUndefined()
})

test('touching a session that another request ended does not bring it back', async () => {
  const store = new QuorateSessionStore(cluster.cache)
  const data = { cookie: new session.Cookie(), visits: 1 }
  await new Promise<void>((resolve) => store.set('gone', data, () => resolve()))
  await new Promise<void>((resolve) => store.destroy('gone', () => resolve()))
  await new Promise<void>((resolve) => store.touch('gone', data, () => resolve()))
  expect(await cluster.cache.get('session:gone')).toBeUndefined()
})

test('what cannot be read or kept is an error for express, with its code', async () => {
  const store = new QuorateSessionStore(cluster.cache)
  const failure = await new Promise((resolve) => store.get('i'.repeat(1_100), resolve))
  expect(failure).toMatchObject({ code: 'KEY_INVALID', outcome: 'not-done' })
  const data = { cookie: new session.Cookie(), visits: 1, much: 'x'.repeat(1_100_000) }
  expect(await new Promise((resolve) => store.set('big', data, resolve))).toMatchObject({
    code: 'VALUE_TOO_LARGE',
    outcome: 'not-done',
  })
  for (const ttl of [0, -1, Number.NaN, 1e300])
    expect(() => new QuorateSessionStore(cluster.cache, { ttl })).toThrow(
      expect.objectContaining({ code: 'ARGUMENT_INVALID' }),
    )
})
