// `quorate replay`: runs a flight recording offline and compares what comes out with what came out then.
import { Option } from 'commander'
import type { Replay, Recording } from '@quorate/node'
import { readFile } from 'node:fs/promises'
import type { AddCommand } from '../context.ts'
import { exitCodes, UsageError } from '../exit-code.ts'
import { examples } from '../help.ts'
import { toJson } from '../output.ts'

export const addReplay: AddCommand = (program, context, finish) => {
  program
    .command('replay')
    .argument('<file>', 'a flight recording: <data directory>/flight/*.flight')
    .description('run what a replica recorded when something broke; exits 1 if it comes to another state')
    .addHelpText(
      'after',
      examples(
        ['quorate replay flight/000003-000001-group-5.flight', 'does it come to the same state again?'],
        ['quorate replay FILE -o json', 'with the whole state of the consensus core'],
      ),
    )
    .addOption(new Option('-o, --output <format>').choices(['table', 'json']).default('table'))
    .action(async (file: string, { output }: { output: 'table' | 'json' }) => {
      // Only who replays loads a server.
      const { BadRecordingError, decodeRecording, replayRecording } = await import('@quorate/node')
      try {
        const recording = decodeRecording(await readFile(file))
        const replay = await replayRecording(recording)
        context.out(output === 'json' ? `${toJson(summary(recording, replay))}\n` : told(recording, replay))
        finish(replay.same ? exitCodes.done : exitCodes.failed)
      } catch (error) {
        if (error instanceof BadRecordingError || isNotFound(error))
          throw new UsageError(`${file}: ${error.message}`)
        throw error
      }
    })
}

const isNotFound = (error: unknown): error is NodeJS.ErrnoException =>
  error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'EISDIR')

function summary(
  { reason, node, at, group, incarnation, machineMissing }: Recording,
  { core, machine, same }: Replay,
): object {
  return {
    reason,
    node,
    at: new Date(at).toISOString(),
    group,
    incarnation,
    core,
    machine,
    machineMissing,
    same,
  }
}

function told(recording: Recording, { core, machine, same }: Replay): string {
  const { reason, node, at, group, incarnation, machineMissing } = recording
  const lines = [
    `group ${group}, replica ${incarnation} on ${node}, ${new Date(at).toISOString()}: ${reason}`,
    `core     ${core.inputs} inputs -> ${coreEnd(core)}: ${verdict(core.same)}`,
    machine === null
      ? `machine  not recorded: ${machineMissing ?? ''}`
      : `machine  ${machine.entries} entries -> ${machine.broken ?? `index ${machine.appliedIndex}, state ${machine.stateHash ?? ''}`}: ${verdict(machine.same)}`,
  ]
  if (machine !== null && !machine.asLive)
    lines.push('         the machine that was serving had another state: it was wrong in memory, not on disk')
  return `${[...lines, same ? 'same' : 'DIFFERENT'].join('\n')}\n`
}

const verdict = (equal: boolean): string => (equal ? 'the same as then' : 'NOT the same as then')

function coreEnd({ end, broken }: Replay['core']): string {
  if (end === null) return broken ?? ''
  return `${end.role.name} of term ${end.currentTerm}, committed ${end.commitIndex} of ${end.log.lastIndex}`
}
