// A mutant: a deliberate bug, as one exact change of one source file, that some test must find.

export const layers = ['scripted', 'property', 'simulator'] as const

/** Scripted tests, tests that import fast-check, seeds of the simulator. */
export type Layer = (typeof layers)[number]

export interface Mutant {
  /** The bug as a sentence. Names are unique. */
  readonly name: string
  /** What it breaks: numbers of the bug catalogue, rules of docs/correctness.md, or a promise in words. */
  readonly breaks: string
  /** The source file, relative to `packages/`. */
  readonly file: string
  /** Text that occurs exactly once in the file. */
  readonly original: string
  readonly replacement: string
  /** Test files, relative to `packages/`, that are expected to find it and are run first. May be empty. */
  readonly tests: readonly string[]
  /** Belongs to the short version in `npm test`. */
  readonly short: boolean
}

/** What found a mutant. */
export interface Killer {
  readonly layer: Layer
  /** `package/test/file.test.ts: name of the test`, or `seed 7: checker: message`. */
  readonly by: string
  /** How to run it again on sources that are sound: a test file relative to `packages/`, or a seed. */
  readonly again: { readonly test: string } | { readonly seed: number }
  /** From the start of the first layer, without the copying and compiling. */
  readonly seconds: number
}

/** The package that owns a path relative to `packages/`. */
export function packageOf(file: string): string {
  const [name] = file.split('/')
  if (name === undefined || name === file) throw new Error(`${file} lies in no package`)
  return name
}
