import type { Command } from 'commander'
import { add, type Run } from './add-command.ts'
import { parseCount, parseEra } from './parse-arguments.ts'

/** Eras of 128 periods, and their roots in the registry. */
export function addEras(program: Command, run: Run): void {
  const example = 'massa-storage eras list'
  const eras = add(
    program,
    'eras',
    'Show eras of 128 periods: what is archived, anchored, and signed by others.',
    example,
  )
  add(eras, 'list', 'List those that are over, the newest first, as the running sidecar knows them.', example)
    .option('-n, --limit <count>', 'how many at most, up to 100', parseCount, 10)
    .action((options: { limit: number }, command) =>
      run(async (context, signal) => (await import('./commands/eras.ts')).erasList(context, options, signal))(command),
    )
  add(eras, 'show', 'Show one of them, and in which period others have something else.', 'massa-storage eras show 41')
    .argument('<era>', 'number of the era: its first period / 128', parseEra)
    .action((era: number, _options, command) =>
      run(async (context, signal) => (await import('./commands/eras.ts')).erasShow(context, era, signal))(command),
    )
  add(
    eras,
    'verify',
    'Verify the periods of an era, compute its root from them, and compare it with the registry.',
    'massa-storage eras verify 41 --deep',
  )
    .argument('<era>', 'number of the era: its first period / 128', parseEra)
    .option('--deep', 'also recompute every chunk id, and check signatures against blocks')
    .option('--address <address>', 'another registry than the configured one')
    .action((era: number, options: { deep?: boolean; address?: string }, command) =>
      run(async (context, signal) => {
        const { erasVerify } = await import('./commands/eras-verify.ts')
        return erasVerify(context, { era, deep: options.deep ?? false, address: options.address }, signal)
      })(command),
    )
}
