// A history from a file, line by line: memory holds one line of text at a time.
import { closeSync, openSync, readSync } from 'node:fs'
import { LINE_BYTES_MAX, READ_CHUNK_BYTES } from '../limits.ts'
import type { Model } from '../models/model.ts'
import { HistoryError } from './history-error.ts'
import { History } from './history.ts'
import { parseRecord } from './record.ts'

const NEWLINE = 0x0a

/** Throws `HistoryError` at the first line that is wrong, and what the file system throws. */
export function readHistory(path: string, model: Model): History {
  const history = new History(model)
  readLines(path, (text, line) => history.append(parseRecord(text, line), line))
  return history
}

/** Calls with every line that is not blank, numbered from 1. */
export function readLines(path: string, visit: (text: string, line: number) => void): void {
  const file = openSync(path, 'r')
  try {
    const chunk = Buffer.allocUnsafe(READ_CHUNK_BYTES)
    const splitter = new LineSplitter(visit)
    for (;;) {
      const bytes = readSync(file, chunk, 0, chunk.length, null)
      if (bytes === 0) break
      splitter.push(chunk.subarray(0, bytes))
    }
    splitter.end()
  } finally {
    closeSync(file)
  }
}

/** Cuts bytes into lines. A line may lie in many chunks; a chunk may be used again once `push` returns. */
export class LineSplitter {
  readonly #visit: (text: string, line: number) => void
  #line = 0
  #started: Buffer[] = []
  #startedBytes = 0

  constructor(visit: (text: string, line: number) => void) {
    this.#visit = visit
  }

  push(chunk: Buffer): void {
    let from = 0
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, from)) {
      this.#finish(chunk.subarray(from, end))
      from = end + 1
    }
    if (from === chunk.length) return
    this.#started.push(Buffer.from(chunk.subarray(from)))
    this.#startedBytes += chunk.length - from
    if (this.#startedBytes > LINE_BYTES_MAX) this.#tooLong()
  }

  end(): void {
    if (this.#startedBytes > 0) this.#finish(Buffer.alloc(0))
  }

  #finish(rest: Buffer): void {
    this.#line += 1
    const bytes = this.#startedBytes === 0 ? rest : Buffer.concat([...this.#started, rest])
    this.#started = []
    this.#startedBytes = 0
    if (bytes.length > LINE_BYTES_MAX) {
      this.#line -= 1
      this.#tooLong()
    }
    const text = bytes.toString('utf8')
    if (text.trim() !== '') this.#visit(text, this.#line)
  }

  #tooLong(): never {
    throw new HistoryError(this.#line + 1, null, `longer than ${LINE_BYTES_MAX} bytes`)
  }
}
