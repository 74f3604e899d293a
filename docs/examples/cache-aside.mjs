// Of everybody who misses a key at once, one loads it.
import { connect } from '@quorate/client'

const endpoints = process.env.QUORATE_ENDPOINTS ?? '127.0.0.1:7400'
const cache = await connect(endpoints)
// Another process would do the same: the loader runs once in the whole cluster.
const another = await connect(endpoints)

let queries = 0
async function fromDatabase({ signal }) {
  queries += 1
  signal.throwIfAborted()
  return { name: 'Ada', born: 1815 }
}

await cache.del('example:ada')
const users = await Promise.all(
  [cache, another, cache, another].map((client) =>
    client.getOrSet('example:ada', fromDatabase, { ttl: 60_000, staleWhileRevalidate: 600_000 }),
  ),
)
console.log(`${users.length} answers, ${queries} query:`, users[3].name)

// The row changes: what is being loaded now, and what was loaded, is not kept after this.
await cache.del('example:ada')
console.log('after the change:', await another.get('example:ada'))

await cache.close()
await another.close()

// Prints:
// 4 answers, 1 query: Ada
// after the change: undefined
