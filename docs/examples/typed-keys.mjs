// Keys of one kind behind a prefix, changed by many at once without losing anything.
import { connect } from '@quorate/client'

const cache = await connect(process.env.QUORATE_ENDPOINTS ?? '127.0.0.1:7400')
// In TypeScript: cache.keyspace<{ items: string[] }>('example:cart:', ...)
const carts = cache.keyspace('example:cart:', { codec: 'json', ttl: 3_600_000 })
await carts.del('7')

const add = (item) => carts.update('7', (cart = { items: [] }) => ({ items: [...cart.items, item] }))
await Promise.all(['tea', 'milk', 'sugar'].map(add))
const cart = await carts.getEntry('7')
console.log(cart.value.items.toSorted().join(', '))

// A version is an ETag: write only what nobody changed since it was read.
await carts.set('7', { items: [] })
const lost = await carts.set('7', { items: ['all of it'] }, { ifVersion: cart.version })
console.log(lost.applied ? 'written' : `somebody else was first: ${lost.value.items.length} items`)

await cache.close()

// Prints:
// milk, sugar, tea
// somebody else was first: 0 items
