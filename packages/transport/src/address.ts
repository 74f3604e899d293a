// Addresses as text: `host:port`, an IPv6 host in brackets.
import { NetworkError } from '@quorate/runtime'

export interface HostAndPort {
  /** Without brackets. */
  readonly host: string
  readonly port: number
}

/** Throws `NetworkError` `EINVAL` for anything that is no `host:port` with a port of 0 to 65535. */
export function parseAddress(address: string): HostAndPort {
  const match = /^(?:\[(?<six>[0-9A-Fa-f:.%]+)\]|(?<name>[^\s:/@?#[\]]+)):(?<port>\d{1,5})$/.exec(address)
  const host = match?.groups?.['six'] ?? match?.groups?.['name']
  const port = Number(match?.groups?.['port'])
  if (host === undefined || !(port <= 65_535)) {
    throw new NetworkError('EINVAL', `not an address of the form host:port: ${JSON.stringify(address)}`)
  }
  return { host, port }
}

export function formatAddress(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}
