// What is still admitted of a client's section when a shard stores too many answers: only what frees some (sessions.md).
import { decodeSection, encodeSection } from '@quorate/protocol'

/**
 * Only acknowledgements and closed sessions free stored answers, and both come through the log: refusing them with
 * everything else would keep the shard full for ever. A section to close is taken as it is (`whole`); of commands the
 * acknowledgement is taken, as one command that apply must refuse as STALE (`acknowledgement`); else null.
 */
export function relief(
  bytes: Uint8Array,
): { readonly type: 'whole' } | { readonly type: 'acknowledgement'; readonly bytes: Uint8Array } | null {
  const { section } = decodeSection(bytes)
  if (section.kind === 'closeSession') return { type: 'whole' }
  if (section.kind !== 'commands' || section.ackedUpTo < 1) return null
  const { group, session, ackedUpTo, commands } = section
  const [first] = commands
  if (first === undefined) return null
  const stale = {
    op: 'del' as const,
    sequence: ackedUpTo,
    notAfter: 0,
    key: first.key,
    condition: { type: 'always' as const },
  }
  const acknowledgement = encodeSection({ kind: 'commands', group, session, ackedUpTo, commands: [stale] })
  return { type: 'acknowledgement', bytes: acknowledgement }
}
