/** A binary heap of texts, least first. The same text may be in it more than once. */
export class TextHeap {
  readonly #texts: string[] = []

  peek(): string | undefined {
    return this.#texts[0]
  }

  push(text: string): void {
    const texts = this.#texts
    let at = texts.length
    texts.push(text)
    while (at > 0) {
      const parent = (at - 1) >> 1
      const above = texts[parent]
      if (above === undefined || above <= text) break
      texts[at] = above
      at = parent
    }
    texts[at] = text
  }

  pop(): string | undefined {
    const texts = this.#texts
    const [first] = texts
    const last = texts.pop()
    if (last === undefined || texts.length === 0) return first
    let at = 0
    for (;;) {
      const left = 2 * at + 1
      const leftText = texts[left]
      if (leftText === undefined) break
      const rightText = texts[left + 1]
      const isRight = rightText !== undefined && rightText < leftText
      const least = isRight ? rightText : leftText
      if (least >= last) break
      texts[at] = least
      at = isRight ? left + 1 : left
    }
    texts[at] = last
    return first
  }
}
