// A piece of memory that holds records of an entry table, one behind the other.

/** Records begin at multiples of it. */
export const UNIT_BYTES = 8

export interface RecordChunk {
  readonly bytes: Uint8Array
  /** The same memory; by unit. */
  readonly floats: Float64Array
  /** The same memory; two for each unit. Of the machine's own byte order: they never leave the process. */
  readonly words: Int32Array
  /** The same memory, for values, which are little endian wherever they are. */
  readonly view: DataView
  /** Units from its begin that records take. */
  used: number
}

export function recordChunk(units: number): RecordChunk {
  const buffer = new ArrayBuffer(units * UNIT_BYTES)
  return {
    bytes: new Uint8Array(buffer),
    floats: new Float64Array(buffer),
    words: new Int32Array(buffer),
    view: new DataView(buffer),
    used: 0,
  }
}

/** What stands where a chunk was given back. */
export const noChunk: RecordChunk = recordChunk(0)
