// Whatever takes a Keyv can keep its entries in Quorate.
import { connect } from '@quorate/client'
import { QuorateKeyv } from '@quorate/keyv'
import { Keyv } from 'keyv'

const cache = await connect(process.env.QUORATE_ENDPOINTS ?? '127.0.0.1:7400')
const open = (namespace) => new Keyv({ store: new QuorateKeyv(cache), namespace, throwOnErrors: true })
const users = open('example-users')
const pages = open('example-pages')

await users.set('ada', { name: 'Ada' }, 60_000)
await pages.set('/', '<h1>Hello</h1>')
console.log(await users.get('ada'))

// One write, whatever the size of the namespace, and it holds for every process at once.
await users.clear()
console.log(await users.get('ada'), await pages.get('/'))

await cache.close()

// Prints:
// { name: 'Ada' }
// undefined <h1>Hello</h1>
