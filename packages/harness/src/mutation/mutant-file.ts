// Reads `mutants/*.txt`: blocks of `key: value` lines, each with one search-and-replace. The format is described in docs/testing.md.
import { readFileSync, readdirSync } from 'node:fs'
import path from 'node:path'
import type { Mutant } from './mutant.ts'

const keys = ['mutant', 'breaks', 'file', 'tests'] as const
type Key = (typeof keys)[number]

/** All mutants of a folder, in the order of their files and lines. Throws where one cannot be read or a name occurs twice. */
export function readMutants(folder: string): Mutant[] {
  const mutants = readdirSync(folder)
    .filter((file) => file.endsWith('.txt'))
    .toSorted()
    .flatMap((file) => parseMutants(file, readFileSync(path.join(folder, file), 'utf8')))
  const names = new Set<string>()
  for (const { name } of mutants) {
    if (names.has(name)) throw new Error(`two mutants are called "${name}"`)
    names.add(name)
  }
  return mutants
}

/** `source` is named in errors. */
export function parseMutants(source: string, text: string): Mutant[] {
  const lines = text.split('\n')
  const mutants: Mutant[] = []
  let fields = new Map<Key, string>()
  let short = false
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at] ?? ''
    const where = `${source}:${at + 1}`
    if (line === '' || line.startsWith('#')) continue
    if (line === 'short') {
      short = true
    } else if (line === '<<<') {
      const middle = endOfPart(lines, at + 1, '===', where)
      const end = endOfPart(lines, middle + 1, '>>>', where)
      const original = lines.slice(at + 1, middle).join('\n')
      const replacement = lines.slice(middle + 1, end).join('\n')
      mutants.push(toMutant(fields, original, replacement, short, where))
      fields = new Map()
      short = false
      at = end
    } else {
      readField(fields, line, where)
    }
  }
  if (fields.size > 0) throw new Error(`${source}: the last mutant has no change`)
  return mutants
}

function readField(fields: Map<Key, string>, line: string, where: string): void {
  const colon = line.indexOf(': ')
  const key = keys.find((one) => one === line.slice(0, colon))
  if (key === undefined) throw new Error(`${where}: not one of ${keys.join(', ')}: ${line}`)
  if (fields.has(key)) throw new Error(`${where}: a second ${key}`)
  fields.set(key, line.slice(colon + 2).trim())
}

function endOfPart(lines: readonly string[], from: number, mark: string, where: string): number {
  const end = lines.indexOf(mark, from)
  if (end < 0) throw new Error(`${where}: the change is not ended by ${mark}`)
  return end
}

function toMutant(
  fields: ReadonlyMap<Key, string>,
  original: string,
  replacement: string,
  short: boolean,
  where: string,
): Mutant {
  const field = (key: Key): string => {
    const value = fields.get(key)
    if (value === undefined || value === '') throw new Error(`${where}: a mutant without ${key}`)
    return value
  }
  // The page of results is a table.
  if (field('mutant').includes('|')) throw new Error(`${where}: a name with a bar`)
  if (original === replacement) throw new Error(`${where}: a change that changes nothing`)
  const tests = fields.get('tests')?.split(/\s+/) ?? []
  const [name, breaks, file] = [field('mutant'), field('breaks'), field('file')]
  return { name, breaks, file, original, replacement, tests, short }
}
