// A setting of a command that runs nodes: one thing that a flag, the environment or a file may say.
import { type Command, InvalidArgumentError, Option } from 'commander'

export interface Setting {
  /** Where it stands in a file: `log.format`. */
  readonly path: string
  /** As commander takes them: `--log-format <format>`; without a value it is a switch. */
  readonly flags: string
  readonly description: string
  /** Its form in the environment; null where it has none. */
  readonly variable: string | null
  /** From the text of a flag or of the environment; a file's value is turned into such a text first. */
  readonly parse?: (text: string) => unknown
  readonly choices?: readonly string[]
  /** What a file may say besides a text or a number: a list, or a mapping of names to texts. */
  readonly inFile?: 'list' | 'mapping'
  readonly standard?: string | number
  readonly required?: true
  /** Not shown by `--help`: for tests, or for who has read about it. */
  readonly hidden?: true
}

/** The name under which commander keeps it: `logFormat`. */
export function attributeOf({ flags }: Setting): string {
  return new Option(flags).attributeName()
}

/** A switch has no value: it is on where it is given. */
export function isSwitch({ flags }: Setting): boolean {
  const { required, optional } = new Option(flags)
  return !required && !optional
}

/** `--log-format`. */
export function flagOf({ flags }: Setting): string {
  return flags.split(' ')[0] ?? flags
}

export function addSettings(command: Command, settings: readonly Setting[]): Command {
  for (const setting of settings) command.addOption(optionOf(setting))
  return command.addOption(
    new Option('--config <file>', 'a YAML file with settings; flags and the environment outrank it').env(
      'QUORATE_CONFIG',
    ),
  )
}

function optionOf(setting: Setting): Option {
  const { flags, description, variable, parse, choices, standard, hidden, required } = setting
  const shown = standard === undefined ? '' : ` (default: ${standard})`
  const needed = required ? ' (required)' : ''
  // Commander takes a variable that is `false` for a switch that is on: those are read elsewhere.
  const inEnvironment = isSwitch(setting) && variable !== null ? ` (env: ${variable}=true)` : ''
  const option = new Option(flags, `${description}${shown}${needed}${inEnvironment}`)
  if (variable !== null && !isSwitch(setting)) option.env(variable)
  if (choices !== undefined) option.choices([...choices])
  if (parse !== undefined) option.argParser(parse)
  return hidden ? option.hideHelp() : option
}

/** What a switch's variable says. */
export function parseSwitch(text: string): boolean {
  if (['true', 'yes', 'on', '1'].includes(text)) return true
  if (['false', 'no', 'off', '0', ''].includes(text)) return false
  throw new InvalidArgumentError(`"${text}" is neither true nor false.`)
}
