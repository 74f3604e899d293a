// An ordered map of byte keys for the memory twin: cheap to write, sorted when a view is opened.

/** Bytes as a string of one character per byte, so that strings sort as the bytes do. */
type KeyText = string

export class OrderedRows {
  readonly #values = new Map<KeyText, Uint8Array>()
  #sorted: KeyText[] = []
  /** Keys in `#values` and not in `#sorted`. */
  #added = new Set<KeyText>()
  /** Keys in `#sorted` and no longer in `#values`. */
  #removed = new Set<KeyText>()

  get size(): number {
    return this.#values.size
  }

  get(key: Uint8Array): Uint8Array | undefined {
    return this.#values.get(keyText(key))
  }

  /** The value is kept as it is: nobody writes to it afterwards. */
  set(key: Uint8Array, value: Uint8Array): void {
    const text = keyText(key)
    if (!this.#values.has(text) && !this.#removed.delete(text)) this.#added.add(text)
    this.#values.set(text, value)
  }

  delete(key: Uint8Array): void {
    const text = keyText(key)
    if (this.#values.delete(text) && !this.#added.delete(text)) this.#removed.add(text)
  }

  /** A copy of the rows from `from` (inclusive) to `to` (exclusive), in order; later writes do not reach it. */
  range(from: Uint8Array, to: Uint8Array): [key: Uint8Array, value: Uint8Array][] {
    this.#sort()
    const begin = lowerBound(this.#sorted, keyText(from))
    const end = lowerBound(this.#sorted, keyText(to))
    return this.#sorted.slice(begin, end).map((text) => [Buffer.from(text, 'latin1'), this.#value(text)])
  }

  #value(text: KeyText): Uint8Array {
    return this.#values.get(text) ?? new Uint8Array(0)
  }

  #sort(): void {
    if (this.#added.size === 0 && this.#removed.size === 0) return
    const kept =
      this.#removed.size === 0 ? this.#sorted : this.#sorted.filter((text) => !this.#removed.has(text))
    this.#sorted = merge(kept, [...this.#added].toSorted(compare))
    this.#added = new Set()
    this.#removed = new Set()
  }
}

function keyText(key: Uint8Array): KeyText {
  return Buffer.from(key.buffer, key.byteOffset, key.byteLength).toString('latin1')
}

function compare(left: KeyText, right: KeyText): number {
  if (left === right) return 0
  return left < right ? -1 : 1
}

function merge(left: KeyText[], right: KeyText[]): KeyText[] {
  if (right.length === 0) return left
  const merged: KeyText[] = []
  let at = 0
  for (const text of right) {
    for (let next = left[at]; next !== undefined && next < text; next = left[at]) {
      merged.push(next)
      at += 1
    }
    merged.push(text)
  }
  for (; at < left.length; at += 1) merged.push(left[at] ?? '')
  return merged
}

function lowerBound(sorted: readonly KeyText[], text: KeyText): number {
  let low = 0
  let high = sorted.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((sorted[middle] ?? '') < text) low = middle + 1
    else high = middle
  }
  return low
}
