// The fields of a node's status document that a benchmark reads (docs/operating.md, Status).

export interface ServerStatus {
  readonly id: string
  readonly log: { readonly batches: number; readonly syncs: number; readonly bytesWritten: number }
  readonly shards: readonly ReplicaStatus[]
}

export interface ReplicaStatus {
  readonly group: number
  readonly role: string
  readonly servesReads: boolean
  readonly lastIndex: number
  readonly commitIndex: number
  readonly appliedIndex: number
}

/** Throws if the document is of another shape: numbers that are not there must not become zeros. */
export function readServerStatus(document: Readonly<Record<string, unknown>>): ServerStatus {
  const { id, log, shards } = document
  if (
    typeof id !== 'string' ||
    !hasNumbers(log, ['batches', 'syncs', 'bytesWritten']) ||
    !Array.isArray(shards)
  )
    throw new Error('a status document of an unknown shape')
  const replicas: readonly unknown[] = shards
  for (const replica of replicas)
    if (!hasNumbers(replica, ['group', 'lastIndex', 'commitIndex', 'appliedIndex']))
      throw new Error('a replica of an unknown shape')
  return document as unknown as ServerStatus
}

function hasNumbers(value: unknown, names: readonly string[]): boolean {
  if (typeof value !== 'object' || value === null) return false
  const fields = value as Readonly<Record<string, unknown>>
  return names.every((name) => typeof fields[name] === 'number')
}
