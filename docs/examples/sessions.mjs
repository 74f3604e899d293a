// Two web servers, one session. With express: `app.use(session(...))`; the middleware does as well without.
import { once } from 'node:events'
import { createServer } from 'node:http'
import { connect } from '@quorate/client'
import { QuorateSessionStore } from '@quorate/express-session'
import session from 'express-session'

const cache = await connect(process.env.QUORATE_ENDPOINTS ?? '127.0.0.1:7400')

async function startServer() {
  const withSession = session({
    secret: 'keep this out of the source',
    resave: false,
    saveUninitialized: false,
    store: new QuorateSessionStore(cache),
    cookie: { maxAge: 600_000 },
  })
  const server = createServer((request, response) =>
    withSession(request, response, () => {
      request.session.visits = (request.session.visits ?? 0) + 1
      response.end(`visit ${request.session.visits}`)
    }),
  ).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return { url: `http://127.0.0.1:${server.address().port}/`, server }
}

const servers = [await startServer(), await startServer()]
let cookie = ''
for (const { url } of [...servers, ...servers]) {
  const response = await fetch(url, { headers: { cookie } })
  cookie = response.headers.get('set-cookie')?.split(';')[0] ?? cookie
  console.log(await response.text())
}

for (const { server } of servers) {
  server.close()
  server.closeAllConnections()
}
await cache.close()

// Prints:
// visit 1
// visit 2
// visit 3
// visit 4
