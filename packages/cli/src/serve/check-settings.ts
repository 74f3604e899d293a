// What must hold among the settings of `quorate serve`, before anything is opened.
import { type Effective, refuseBoth } from '../config/effective.ts'
import { refuseOpenAddresses, refuseSameAddresses } from './open-addresses.ts'
import type { ServeFlags } from './options.ts'

/** @throws UsageError for settings that contradict each other, and for addresses that others may reach without consent. */
export function checkServeSettings(effective: Effective): void {
  refuseBoth(effective, 'bootstrap', 'join')
  // Each is what its own parser made of it, or is not there.
  const { listen, peerListen, http, insecureNetwork } = effective.values as Partial<ServeFlags>
  const addresses = { '--listen': listen, '--peer-listen': peerListen, '--http': http }
  refuseSameAddresses(addresses)
  refuseOpenAddresses(addresses, insecureNetwork === true)
}
