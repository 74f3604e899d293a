// Makes big typed arrays cheap to compare: `toEqual` walks through each element with some microseconds.

/** The same shape with every typed array as text of its type and bytes. */
export function comparable(value: unknown): unknown {
  if (ArrayBuffer.isView(value)) {
    const hex = Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('hex')
    return `${Object.prototype.toString.call(value)} ${hex}`
  }
  if (Array.isArray(value)) return value.map(comparable)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([field, content]) => [field, comparable(content)]))
}
