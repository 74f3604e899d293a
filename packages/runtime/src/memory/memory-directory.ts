// Names of the memory disk: as the process sees them, and as a power loss would leave them.
import path from 'node:path'
import type { MemoryFile } from './memory-file.ts'

/** One change of names that no directory sync has covered. A rename counts for both of its directories. */
type NameChange =
  | { readonly kind: 'link'; readonly path: string; readonly file: MemoryFile }
  | { readonly kind: 'unlink'; readonly path: string }
  | { readonly kind: 'rename'; readonly from: string; readonly to: string; readonly file: MemoryFile }

interface NumberedChange {
  readonly number: number
  readonly change: NameChange
}

export class MemoryNames {
  readonly directories: Set<string> = new Set(['/', '.'])
  readonly #now = new Map<string, MemoryFile>()
  readonly #durable = new Map<string, MemoryFile>()
  #pending: NumberedChange[] = []
  #changes = 0

  get(file: string): MemoryFile | undefined {
    return this.#now.get(file)
  }

  paths(): string[] {
    return [...this.#now.keys()].toSorted()
  }

  files(): Iterable<MemoryFile> {
    return this.#now.values()
  }

  list(directory: string): string[] {
    const children = [...this.#now.keys(), ...this.directories].filter(
      (name) => path.dirname(name) === directory,
    )
    return children
      .filter((name) => name !== directory)
      .map((name) => path.basename(name))
      .toSorted()
  }

  link(file: string, content: MemoryFile): void {
    this.#change({ kind: 'link', path: file, file: content })
  }

  unlink(file: string): void {
    this.#change({ kind: 'unlink', path: file })
  }

  rename(from: string, to: string, file: MemoryFile): void {
    this.#change({ kind: 'rename', from, to, file })
  }

  /** Number of the newest change: a directory sync that begins now covers those up to it. */
  get changes(): number {
    return this.#changes
  }

  commit(directory: string, changes: number): void {
    const rest: NumberedChange[] = []
    for (const numbered of this.#pending) {
      const covered = numbered.number <= changes && touches(numbered.change, directory)
      if (covered) play(this.#durable, numbered.change)
      else rest.push(numbered)
    }
    this.#pending = rest
  }

  /** File systems write their journal in order: a prefix of the changes survives. */
  losePower(draw: () => number): void {
    const kept = Math.floor(draw() * (this.#pending.length + 1))
    for (const { change } of this.#pending.slice(0, kept)) play(this.#durable, change)
    this.#pending = []
    this.#now.clear()
    for (const [name, file] of this.#durable) this.#now.set(name, file)
  }

  /** Makes the present names the durable ones (a set-up of tests: files put there from outside). */
  settle(): void {
    for (const { change } of this.#pending.splice(0)) play(this.#durable, change)
  }

  #change(change: NameChange): void {
    play(this.#now, change)
    this.#changes += 1
    this.#pending.push({ number: this.#changes, change })
  }
}

function play(names: Map<string, MemoryFile>, change: NameChange): void {
  switch (change.kind) {
    case 'link':
      names.set(change.path, change.file)
      return
    case 'unlink':
      names.delete(change.path)
      return
    case 'rename':
      names.delete(change.from)
      names.set(change.to, change.file)
      return
  }
}

function touches(change: NameChange, directory: string): boolean {
  const places = change.kind === 'rename' ? [change.from, change.to] : [change.path]
  return places.some((place) => path.dirname(place) === directory)
}
