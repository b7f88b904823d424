import type { Command } from 'commander'
import { add, type Run } from './add-command.ts'

/** The whole network, as the running sidecar sees it. */
export function addCluster(program: Command, run: Run): void {
  const example = 'massa-storage cluster check'
  const cluster = add(program, 'cluster', 'Tell how well the network keeps its chunks.', example)
  add(
    cluster,
    'check',
    'Count the copies of all chunks; exit code 9 while some have fewer than they are to have.',
    example,
  ).action((_options, command) =>
    run(async (context, signal) => (await import('./commands/cluster-check.ts')).clusterCheck(context, signal))(
      command,
    ),
  )
}
