import type { Command } from 'commander'
import { add, type Run } from './add-command.ts'
import type { AssignOptions } from './commands/chunk-assign.ts'
import { parseChunkPrefix, parseEra, parsePeriodRange } from './parse-arguments.ts'

/** Who holds a chunk, in the network. */
export function addChunk(program: Command, run: Run): void {
  const example = 'massa-storage chunk assign --period 100..110'
  const chunk = add(program, 'chunk', 'Tell who holds a chunk in the network.', example)
  add(chunk, 'assign', 'Show who is to hold chunks, by the registry: the same on every machine.', example)
    .argument('[ids...]', 'chunk ids; of the own archive also their first 6 or more hex digits', collectIds)
    .option('-p, --period <A..B>', 'all chunks of these periods of the own archive', parsePeriodRange)
    .option('--era <era>', 'refuse to answer for another era (128 periods) than this one', parseEra)
    .option('--address <address>', 'another registry than the configured one')
    .action((ids: readonly string[], options: AssignOptions, command) =>
      run(async (context, signal) =>
        (await import('./commands/chunk-assign.ts')).assignChunks(context, ids, options, signal),
      )(command),
    )
  add(
    chunk,
    'locate',
    'Show which nodes really hold a chunk: each that is connected is asked for a piece of it.',
    'massa-storage chunk locate d6076b',
  )
    .argument('<id>', 'chunk id; of the own archive also its first 6 or more hex digits', parseChunkPrefix)
    .action((id: string, _options, command) =>
      run(async (context, signal) => (await import('./commands/chunk-locate.ts')).locateChunk(context, id, signal))(
        command,
      ),
    )
}

function collectIds(text: string, previous: readonly string[] = []): string[] {
  return [...previous, parseChunkPrefix(text)]
}
