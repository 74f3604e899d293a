// Nothing that Quorate listens with asks who is there: beyond this machine it listens only where somebody says so.
import { UsageError } from '../exit-code.ts'

/** Only processes of this machine reach it. */
export function isLoopback(address: string): boolean {
  const host = address.slice(0, address.lastIndexOf(':'))
  return host === 'localhost' || host === '[::1]' || /^127(?:\.\d{1,3}){3}$/.test(host)
}

/** @throws UsageError for an address that others may reach, unless that is wanted; by flag: `--listen`. */
export function refuseOpenAddresses(
  addresses: Readonly<Record<string, string | undefined>>,
  insecureNetwork: boolean,
): void {
  if (insecureNetwork) return
  for (const [flag, address] of Object.entries(addresses))
    if (address !== undefined && !isLoopback(address))
      throw new UsageError(
        `${flag} ${address} is not a loopback address, and whoever reaches it may read and write everything`,
        'on a network that you trust add --insecure-network (QUORATE_INSECURE_NETWORK=true, or insecureNetwork: true in the file); else listen on 127.0.0.1',
      )
}

/** @throws UsageError where two of them are the same; port 0 is a different one each time. */
export function refuseSameAddresses(addresses: Readonly<Record<string, string | undefined>>): void {
  const seen = new Map<string, string>()
  for (const [flag, address] of Object.entries(addresses)) {
    if (address === undefined || address.endsWith(':0')) continue
    const other = seen.get(address)
    if (other !== undefined)
      throw new UsageError(`${other} and ${flag} are both ${address}`, 'give each of them a port of its own')
    seen.set(address, flag)
  }
}
