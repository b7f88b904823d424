import { type Command, Option } from 'commander'
import { add, type Run } from './add-command.ts'
import type { ExportOptions } from './commands/export.ts'
import type { ImportFileOptions } from './commands/import.ts'
import { collectRoot, parsePeriod, parseRoot } from './parse-arguments.ts'

/** Of the command, which is loaded when it runs. */
const FORMATS = ['mhs', 'ndjson', 'csv'] as const satisfies readonly ExportOptions['format'][]

/** What leaves the archive as a file, and comes back from one. */
export function addArchiveFiles(program: Command, run: Run): void {
  add(
    program,
    'export',
    'Write periods to an archive file, or their operations as rows.',
    'massa-storage export --from 0 --to 1023',
  )
    .option('--from <period>', 'first period (default: the first one archived)', parsePeriod)
    .option('--to <period>', 'last period (default: the last one archived)', parsePeriod)
    .addOption(
      new Option('--format <format>', 'mhs: archive file; ndjson, csv: one line per operation')
        .choices(FORMATS)
        .default('mhs'),
    )
    .option('--address <address>', 'with ndjson or csv: only operations by it or to it')
    .option('--out <file>', 'file or folder (default: its own name here; rows are printed)')
    .action((options: ExportOptions, command) =>
      run(async (context, signal) => (await import('./commands/export.ts')).exportArchive(context, options, signal))(
        command,
      ),
    )
  add(
    program,
    'import',
    'Bring the periods of an archive file into the archive.',
    'massa-storage import massa-mainnet-0-1023-1a2b3c4d.mhs',
  )
    .argument('<file>', 'archive file (.mhs), or its http address')
    .option('--root <hex>', 'take no file but that with this root', parseRoot)
    .option('--trust-root <era=root>', 'root of an era that you know, repeatable', collectRoot)
    .action((file: string, options: Omit<ImportFileOptions, 'file' | 'cpu'>, command) =>
      run(async (context, signal) =>
        (await import('./commands/import.ts')).importFile(context, { file, ...options }, signal),
      )(command),
    )
}
