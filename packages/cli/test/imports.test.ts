// Holds the one direction of imports (docs/architecture.md, "Packages") against sources and manifests.
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'

const packages = path.resolve(import.meta.dirname, '..', '..')

/** What a package's sources may import of ours; `harness` may import anything and nothing imports it. */
const allowed: Record<string, readonly string[]> = {
  runtime: [],
  raft: [],
  protocol: ['raft'],
  'state-machine': ['protocol'],
  storage: ['raft', 'runtime'],
  transport: ['protocol', 'runtime'],
  node: ['protocol', 'raft', 'runtime', 'state-machine', 'storage', 'transport'],
  client: ['protocol', 'runtime', 'transport'],
  // It composes a process of real parts, so it names each of them.
  cli: ['client', 'node', 'protocol', 'runtime', 'storage', 'transport'],
  // Its servers are processes that it starts through the launcher: what it measures is what a user runs.
  bench: ['client'],
  // Of use to anyone who has a history: it knows nothing of ours.
  linearizability: [],
  keyv: ['client'],
  'express-session': ['client'],
  harness: ['client', 'node', 'protocol', 'raft', 'runtime', 'state-machine', 'storage', 'transport'],
}
/** These are imported for their types alone: nothing of them is there at run time. */
const typesOnly: Record<string, readonly string[]> = { protocol: ['raft'], storage: ['raft'] }

interface Import {
  readonly file: string
  readonly from: string
  readonly typeOnly: boolean
}

function importsOf(name: string, folder: 'src' | 'test'): Import[] {
  const directory = path.join(packages, name, folder)
  if (!existsSync(directory)) return []
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .flatMap((file) => {
      const text = readFileSync(path.join(directory, file), 'utf8')
      const statements = text.matchAll(/^(import|export)\s+(type\s)?[^'"]*?from\s+'([^']+)'/gm)
      const dynamic = text.matchAll(/\bimport\(\s*'([^']+)'/g)
      return [
        ...[...statements].map((match) => ({ file, from: match[3] ?? '', typeOnly: match[2] !== undefined })),
        ...[...dynamic].map((match) => ({ file, from: match[1] ?? '', typeOnly: false })),
      ]
    })
}

const ours = /^@quorate\/([^/]+)(\/.+)?$/
const names = Object.keys(allowed)

test('the table knows every package there is', () => {
  expect(readdirSync(packages).toSorted()).toEqual(names.toSorted())
})

test.each(names)('%s imports only what the table allows, by package names alone', (name) => {
  const wrong = importsOf(name, 'src').filter(({ from, typeOnly }) => {
    const match = ours.exec(from)
    if (match === null) return from.startsWith('../') && path.posix.normalize(from).includes('packages')
    const [, imported = '', deep] = match
    if (!allowed[name]?.includes(imported)) return true
    if (deep !== undefined && name !== 'harness') return true
    return !typeOnly && (typesOnly[name] ?? []).includes(imported)
  })
  expect(wrong).toEqual([])
})

test.each(names)('a relative import of %s stays inside its own sources', (name) => {
  const outside = importsOf(name, 'src').filter(
    ({ file, from }) =>
      from.startsWith('.') &&
      path.posix.normalize(path.posix.join(path.dirname(file), from)).startsWith('..'),
  )
  expect(outside).toEqual([])
})

test.each(names)(
  'the manifest of %s names what its sources import and nothing that the table forbids',
  (name) => {
    const manifest = JSON.parse(readFileSync(path.join(packages, name, 'package.json'), 'utf8')) as {
      dependencies?: Record<string, string>
      devDependencies?: Record<string, string>
    }
    const declared = Object.keys(manifest.dependencies ?? {}).flatMap((dependency) => {
      const match = ours.exec(dependency)
      return match?.[1] === undefined ? [] : [match[1]]
    })
    const imported = importsOf(name, 'src').flatMap(({ from }) => ours.exec(from)?.[1] ?? [])
    expect(declared.filter((dependency) => !allowed[name]?.includes(dependency))).toEqual([])
    expect([...new Set(imported)].filter((dependency) => !declared.includes(dependency))).toEqual([])
  },
)

test.each(names)('a deep import in a test of %s is a conformance suite', (name) => {
  const deep = importsOf(name, 'test').filter(({ from }) => {
    const match = ours.exec(from)
    return match?.[2] !== undefined && match[2] !== '/conformance'
  })
  expect(deep).toEqual([])
})

test('nothing imports the harness', () => {
  const importers = names
    .filter((name) => name !== 'harness')
    .filter((name) =>
      [...importsOf(name, 'src'), ...importsOf(name, 'test')].some(({ from }) =>
        from.startsWith('@quorate/harness'),
      ),
    )
  expect(importers).toEqual([])
})
