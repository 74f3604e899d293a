// `quorate config print`: which settings hold, and who says so.
import type { Command } from 'commander'
import { addOutputOption, type OutputOptions } from '../client-options.ts'
import { type Effective, effectiveSettings, type EffectiveSetting } from '../config/effective.ts'
import { addSettings } from '../config/setting.ts'
import type { AddCommand, CliContext } from '../context.ts'
import { devSettings } from '../dev/options.ts'
import { exitCodes } from '../exit-code.ts'
import { examples } from '../help.ts'
import { formatTable, formatValue, printList } from '../output.ts'
import { checkServeSettings } from '../serve/check-settings.ts'
import { serveSettings } from '../serve/options.ts'

export const addConfig: AddCommand = (program, context, finish) => {
  const print = program
    .command('config')
    .description('what holds of flags, environment and file')
    .command('print')
    .description('the settings that would hold, each with who says so; refuses what the command would refuse')
  const subjects = [
    { name: 'serve', settings: serveSettings, isDefault: true },
    { name: 'dev', settings: devSettings, isDefault: false },
  ]
  for (const { name, settings, isDefault } of subjects)
    addOutputOption(addSettings(print.command(name, { isDefault }), settings))
      .description(`the settings of "quorate ${name}"; takes its flags`)
      .addHelpText(
        'after',
        examples(
          [`quorate config print ${name} --config quorate.yaml`, 'what the file and the environment say'],
          [`quorate config print ${name} -o json`, 'the same for a program'],
        ),
      )
      .action(async (options: OutputOptions, command: Command) => {
        const effective = await effectiveSettings(command, settings)
        if (name === 'serve') checkServeSettings(effective)
        await show(context, options, effective)
        finish(exitCodes.done)
      })
}

async function show(context: CliContext, options: OutputOptions, { all }: Effective): Promise<void> {
  const shown = all.filter(({ setting, value }) => !setting.hidden || value !== undefined)
  await printList(context, options, {
    records: shown.map(({ setting, value, source }) => ({
      setting: setting.path,
      value: value ?? null,
      source,
    })),
    names: shown.map(({ setting }) => setting.path),
    table: () =>
      formatTable([
        ['SETTING', 'VALUE', 'SOURCE'],
        ...shown.map((one) => [one.setting.path, textOf(one), one.source]),
      ]),
  })
}

/** As one would type it. */
function textOf({ setting, value }: EffectiveSetting): string {
  if (value === undefined) return setting.required ? '(required)' : '-'
  if (!Array.isArray(value)) return formatValue(value)
  return value
    .map((part: unknown) => (isNamed(part) ? `${part.name}=${part.address}` : String(part)))
    .join(',')
}

function isNamed(part: unknown): part is { readonly name: string; readonly address: string } {
  return typeof part === 'object' && part !== null && 'name' in part && 'address' in part
}
