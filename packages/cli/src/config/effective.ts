// What holds of all that flags, environment, file and defaults say: in this order, each setting on its own.
import process from 'node:process'
import { type Command, InvalidArgumentError } from 'commander'
import { UsageError } from '../exit-code.ts'
import { type ConfigFile } from './config-file.ts'
import { attributeOf, flagOf, isSwitch, parseSwitch, type Setting } from './setting.ts'

export interface EffectiveSetting {
  readonly setting: Setting
  /** Undefined where nobody says anything. */
  readonly value: unknown
  /** `flag --id`, `environment QUORATE_ID`, `file quorate.yaml:3`, `default`, `not set`. */
  readonly source: string
}

export interface Effective {
  readonly all: readonly EffectiveSetting[]
  /** By commander's names, those that are set; with the flags that are no settings. */
  readonly values: Readonly<Record<string, unknown>>
}

/** @throws UsageError where the file or a switch's variable says what it may not. */
export async function effectiveSettings(command: Command, settings: readonly Setting[]): Promise<Effective> {
  const typed: Record<string, unknown> = command.opts()
  const file = typeof typed['config'] === 'string' ? await readFile(typed['config'], settings) : null
  const all = settings.map((setting) => ({ setting, ...effective(command, setting, typed, file) }))
  const values = all.map(({ setting, value }) => [attributeOf(setting), value] as const)
  const known = values.filter(([, value]) => value !== undefined)
  return { all, values: { ...typed, ...Object.fromEntries(known) } }
}

/** YAML and schemas are loaded only by who brings a file. */
async function readFile(file: string, settings: readonly Setting[]): Promise<ConfigFile> {
  const { readConfigFile } = await import('./config-file.ts')
  return readConfigFile(file, settings)
}

function effective(
  command: Command,
  setting: Setting,
  typed: Readonly<Record<string, unknown>>,
  file: ConfigFile | null,
): Omit<EffectiveSetting, 'setting'> {
  const { path, variable, standard } = setting
  const attribute = attributeOf(setting)
  const from = command.getOptionValueSource(attribute)
  if (from === 'cli') return { value: typed[attribute], source: `flag ${flagOf(setting)}` }
  if (from === 'env') return { value: typed[attribute], source: `environment ${variable}` }
  const text = variable === null || !isSwitch(setting) ? undefined : process.env[variable]
  if (text !== undefined)
    return { value: switchOf(String(variable), text), source: `environment ${variable}` }
  if (file?.values.has(path)) return { value: file.values.get(path), source: `file ${file.place(path)}` }
  return { value: standard, source: standard === undefined ? 'not set' : 'default' }
}

function switchOf(variable: string, text: string): boolean {
  try {
    return parseSwitch(text)
  } catch (error) {
    if (error instanceof InvalidArgumentError) throw new UsageError(`${variable}: ${error.message}`)
    throw error
  }
}

/** @throws UsageError for a required setting that nobody gives. */
export function refuseMissing({ all }: Effective): void {
  const missing = all.filter(({ setting, value }) => setting.required && value === undefined)
  const [first] = missing
  if (first === undefined) return
  const { setting } = first
  throw new UsageError(
    `${missing.map((one) => flagOf(one.setting)).join(', ')} ${missing.length === 1 ? 'is' : 'are'} missing`,
    `give the flag ${setting.flags}, the variable ${setting.variable}, or ${setting.path} in the file of --config`,
  )
}

/** @throws UsageError where both are set, wherever that was. */
export function refuseBoth({ all }: Effective, one: string, other: string): void {
  const [left, right] = [one, other].map((path) =>
    all.find(({ setting, value }) => setting.path === path && value !== undefined),
  )
  if (left === undefined || right === undefined) return
  throw new UsageError(
    `${flagOf(left.setting)} (${left.source}) and ${flagOf(right.setting)} (${right.source}) contradict each other`,
    'leave one of them out',
  )
}
