// Which test files a package has, and which of them are properties.
import { readFileSync, readdirSync } from 'node:fs'
import path from 'node:path'

export type TestKind = 'scripted' | 'property'

/** Unit tests of a package, relative to `packages`. */
export function unitTests(packages: string, name: string): string[] {
  return readdirSync(path.join(packages, name, 'test'), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.test.ts') && !file.endsWith('.system.test.ts'))
    .map((file) => `${name}/test/${file}`)
    .toSorted()
}

/** A property imports fast-check, itself or through a file beside it. */
export function kindOfTest(packages: string, file: string): TestKind {
  return importsFastCheck(path.join(packages, file), new Set()) ? 'property' : 'scripted'
}

function importsFastCheck(file: string, seen: Set<string>): boolean {
  if (seen.has(file)) return false
  seen.add(file)
  const imports = [...readFileSync(file, 'utf8').matchAll(/ from '([^']+)'/g)].map(([, name]) => name ?? '')
  return imports.some(
    (name) =>
      name === 'fast-check' ||
      (name.startsWith('.') && importsFastCheck(path.resolve(path.dirname(file), name), seen)),
  )
}
