// Where a cluster is reached: `quorate://host:port,host:port` or a list of `host:port`.
import { QuorateError } from '@quorate/protocol'

const SCHEME = 'quorate://'
const ADDRESS = /^(?:\[[0-9A-Fa-f:.%]+\]|[^\s:/@?#,[\]]+):\d{1,5}$/

/**
 * Client addresses of nodes, without repetition, in the order given.
 * @throws QuorateError `ARGUMENT_INVALID`, `not-done`.
 */
export function parseTarget(target: string | readonly string[]): readonly string[] {
  const parts = typeof target === 'string' ? [target] : target
  const addresses = parts.flatMap((part) => split(part)).map((address) => address.trim())
  if (addresses.length === 0) throw invalid('no endpoint was given')
  for (const address of addresses) {
    if (!ADDRESS.test(address))
      throw invalid(`${JSON.stringify(address)} is not an endpoint of the form host:port`)
  }
  return [...new Set(addresses)]
}

function split(part: string): string[] {
  const rest = part.startsWith(SCHEME) ? part.slice(SCHEME.length) : part
  return rest.replace(/\/$/, '').split(',')
}

function invalid(message: string): QuorateError {
  return new QuorateError('ARGUMENT_INVALID', 'not-done', message, {
    hint: "connect('quorate://127.0.0.1:7400,127.0.0.1:7401'), or a list of host:port",
  })
}
