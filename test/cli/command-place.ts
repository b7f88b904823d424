import type { Context } from '../../cli/context.ts'
import { Output } from '../../cli/output.ts'
import { loadConfig } from '../../config/index.ts'

/** A command of this process on an archive, as `--json` would run it, and what it has printed. */
export function makeCommand(
  dataDir: string,
  flags: Readonly<Record<string, string | number>> = {},
  { json = true }: { readonly json?: boolean } = {},
) {
  const printed = { stdout: '', stderr: '' }
  const stream = (name: keyof typeof printed) =>
    ({
      write: (text: string) => {
        printed[name] += text
        return true
      },
    }) as NodeJS.WriteStream
  const output = new Output({
    json,
    quiet: json,
    noColor: true,
    stdout: stream('stdout'),
    stderr: stream('stderr'),
  })
  // Without a number that somebody set `prune` asks nobody.
  const load = () => loadConfig({ cwd: dataDir, env: {}, flags: { data_dir: dataDir, retention_periods: 1, ...flags } })
  return { context: { output, load, cwd: dataDir } as unknown as Context, printed }
}
