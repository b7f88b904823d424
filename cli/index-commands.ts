import type { Command } from 'commander'
import { add, type Run } from './add-command.ts'

/** The index of ids and addresses. */
export function addIndex(program: Command, run: Run): void {
  const example = 'massa-storage index rebuild'
  const index = add(program, 'index', 'Care for the index by which ids and addresses are found.', example)
  add(index, 'rebuild', 'Delete the index and make it again from the archive.', example).action((_options, command) =>
    run(async (context, signal) => (await import('./commands/index-rebuild.ts')).rebuildIndex(context, signal))(
      command,
    ),
  )
}
