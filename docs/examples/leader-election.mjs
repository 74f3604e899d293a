// One of many does the work. A lock alone is not enough: who was paused for long does not know that it lost the lock. Its version is
// a fencing token, so whatever the work writes to can refuse an older one.
import { connect } from '@quorate/client'

const cache = await connect(process.env.QUORATE_ENDPOINTS ?? '127.0.0.1:7400')
const stored = { token: 0, text: '' }
/** What the work writes to: refuses whoever comes with an older token than it has seen. */
function write(token, text) {
  if (token < stored.token) return false
  Object.assign(stored, { token, text })
  return true
}

const acquire = (name) => cache.set('example:lock', name, { ifAbsent: true, ttl: 10_000 })
await cache.del('example:lock')
const first = await acquire('first')
const second = await acquire('second')
console.log('first holds it:', first.applied, '- second:', second.applied, `(held by ${second.value})`)

// The first is paused; its lock ends, by its ttl or by an operator's hand.
await cache.del('example:lock')
const next = await acquire('second')
console.log('second writes:', write(next.version, 'from second'))
console.log('first wakes up and writes:', write(first.version, 'from first'))
// Give back what is one's own, and only that.
console.log('first gives it back:', (await cache.del('example:lock', { ifVersion: first.version })).applied)
console.log('second gives it back:', (await cache.del('example:lock', { ifVersion: next.version })).applied)

await cache.close()

// Prints:
// first holds it: true - second: false (held by first)
// second writes: true
// first wakes up and writes: false
// first gives it back: false
// second gives it back: true
