// Reads a YAML file with settings. Whatever it says that is no setting is refused, with the place where it says it.
import { readFileSync, statSync } from 'node:fs'
import { InvalidArgumentError } from 'commander'
import { type Document, isMap, isScalar, LineCounter, parseDocument } from 'yaml'
import { z } from 'zod'
import { UsageError } from '../exit-code.ts'
import { nearest } from './nearest.ts'
import { isSwitch, type Setting } from './setting.ts'

/** Nobody writes more than this by hand. */
const fileBytesMax = 1_048_576

export interface ConfigFile {
  /** By path: `log.format`; in the form that the flag would give. */
  readonly values: ReadonlyMap<string, unknown>
  /** `FILE:LINE` of a setting. */
  readonly place: (path: string) => string
}

/** @throws UsageError for a file that cannot be read, is not YAML, or says what is no setting. */
export function readConfigFile(file: string, settings: readonly Setting[]): ConfigFile {
  const lines = new LineCounter()
  const document = parse(file, lines)
  const place = (path: readonly string[]): string => `${file}:${lineOf(document, lines, path)}`
  const given = plainData(document, file)
  const result = schemaOf(settings, '').safeParse(given)
  if (!result.success) throw refusal(result.error.issues, settings, place)
  return {
    values: new Map(flatten(result.data, '', new Set(settings.map(({ path }) => path)))),
    place: (path) => place(path.split('.')),
  }
}

function parse(file: string, lineCounter: LineCounter): Document {
  let text: string
  try {
    if (statSync(file).size > fileBytesMax) throw new Error(`it has more than ${fileBytesMax} bytes`)
    text = readFileSync(file, 'utf8')
  } catch (error) {
    throw new UsageError(
      `cannot read the settings in ${file}: ${error instanceof Error ? error.message : String(error)}`,
    )
  }
  const document = parseDocument(text, { lineCounter, prettyErrors: false })
  // What YAML only warns of would be read as something else than was meant.
  const [wrong] = [...document.errors, ...document.warnings]
  if (wrong !== undefined)
    throw new UsageError(`${file}:${lineCounter.linePos(wrong.pos[0]).line}: not YAML: ${wrong.message}`)
  return document
}

/** Aliases may stand for far more than the file's own size: the library refuses those. */
function plainData(document: Document, file: string): unknown {
  try {
    return document.toJS() ?? {}
  } catch (error) {
    throw new UsageError(`${file}:1: not YAML: ${error instanceof Error ? error.message : String(error)}`)
  }
}

/** The keys below `prefix` as an object that knows no others. */
function schemaOf(settings: readonly Setting[], prefix: string): z.ZodType<Record<string, unknown>> {
  const shape: Record<string, z.ZodType> = {}
  for (const setting of settings) {
    if (!setting.path.startsWith(prefix)) continue
    const [key = '', ...deeper] = setting.path.slice(prefix.length).split('.')
    shape[key] ??= (deeper.length > 0 ? schemaOf(settings, `${prefix}${key}.`) : leaf(setting)).optional()
  }
  return z.strictObject(shape)
}

function leaf(setting: Setting): z.ZodType {
  const { parse: parseText, choices, inFile } = setting
  if (isSwitch(setting)) return z.boolean()
  if (choices !== undefined) return z.enum([...choices])
  const scalar = z.union([z.string(), z.number().transform(String)])
  const text =
    inFile === 'list'
      ? z.union([scalar, z.array(z.string()).transform((items) => items.join(','))])
      : inFile === 'mapping'
        ? z.union([scalar, z.record(z.string(), z.string()).transform(pairs)])
        : scalar
  return text.transform((given, context) => {
    try {
      return parseText === undefined ? given : parseText(given)
    } catch (error) {
      if (!(error instanceof InvalidArgumentError)) throw error
      context.addIssue({ code: 'custom', message: error.message })
      return z.NEVER
    }
  })
}

const pairs = (mapping: Record<string, string>): string =>
  Object.entries(mapping)
    .map(([name, text]) => `${name}=${text}`)
    .join(',')

function* flatten(
  values: Record<string, unknown>,
  prefix: string,
  known: ReadonlySet<string>,
): Generator<[string, unknown]> {
  for (const [key, value] of Object.entries(values)) {
    const path = `${prefix}${key}`
    if (known.has(path)) yield [path, value]
    else if (typeof value === 'object' && value !== null)
      yield* flatten(value as Record<string, unknown>, `${path}.`, known)
  }
}

function refusal(
  issues: readonly z.core.$ZodIssue[],
  settings: readonly Setting[],
  place: (path: readonly string[]) => string,
): UsageError {
  const known = settings.filter(({ hidden }) => !hidden).map(({ path }) => path)
  let hint: string | undefined
  const complaints = issues.flatMap((issue) => {
    const path = issue.path.map(String)
    if (issue.code !== 'unrecognized_keys')
      return [`${place(path)}: ${path.length === 0 ? '' : `${path.join('.')}: `}${issue.message}`]
    return issue.keys.map((key) => {
      const unknown = [...path, key].join('.')
      const meant = nearest(unknown, known)
      hint ??= meant === null ? `there are ${known.join(', ')}` : `did you mean ${meant}?`
      return `${place([...path, key])}: unknown key ${unknown}`
    })
  })
  return new UsageError(complaints.join('\n'), hint)
}

/** Line of the deepest key of the path that the file has. */
function lineOf(document: Document, lines: LineCounter, path: readonly string[]): number {
  let node: unknown = document.contents
  let offset = 0
  for (const key of path) {
    if (!isMap(node)) break
    const pair = node.items.find(({ key: name }) => isScalar(name) && String(name.value) === key)
    if (pair === undefined || !isScalar(pair.key)) break
    offset = pair.key.range?.[0] ?? offset
    node = pair.value
  }
  return lines.linePos(offset).line
}
