// `quorate completion SHELL`: what a shell needs to complete commands, flags and their choices.
import type { Command } from 'commander'
import { examples } from '../help.ts'

/** By this name the scripts ask for suggestions. */
const asking = 'complete'
const name = 'completion'

/**
 * Adds the command. What it needs is loaded only where it is typed, or where a shell asks; all other commands must have
 * been added before.
 */
export async function addCompletion(program: Command, args: readonly string[]): Promise<void> {
  if (args[0] === name || args[0] === asking) {
    const { default: tab } = await import('@bomb.sh/tab/commander')
    tab(program, { completionCommandName: name })
    const added = program.commands.find((command) => command.name() === name)
    added?.description(description).addHelpText('after', help)
  } else program.command(`${name} <shell>`).description(description).addHelpText('after', help)
}

const description = 'print a script for the shell (bash, zsh, fish) that completes commands and flags'
const help = examples(
  ['source <(quorate completion bash)', 'for this shell; in ~/.bashrc for all'],
  ['quorate completion zsh > "${fpath[1]}/_quorate"', 'for zsh'],
  ['quorate completion fish > ~/.config/fish/completions/quorate.fish', 'for fish'],
)
