import type { Command } from 'commander'
import type { ConfigFlags, LoadedConfig } from '../config/index.ts'
import { loadConfig } from '../config/load.ts'
import { ArchiveError } from '../core/errors.ts'
import { Output } from './output.ts'
import { openTerminal, type Terminal } from './terminal.ts'

/** What every command gets: output, settings on demand, and where it runs. */
export interface Context {
  readonly output: Output
  readonly env: Readonly<Record<string, string | undefined>>
  readonly cwd: string
  /** The value of `--config`. */
  readonly file: string | undefined
  /** The value of `--password-file`. */
  readonly passwordFile?: string | undefined
  /** The settings that were given as options. */
  readonly flags: ConfigFlags
  /** Whoever can be asked; undefined where nobody can. */
  openTerminal(): Terminal | undefined
  /** Reads the settings; flags given here win over all others. */
  load(flags?: ConfigFlags): LoadedConfig
  /** The same for another archive. */
  at(dataDir: string): Context
}

interface GlobalOptions {
  readonly config?: string
  readonly dataDir?: string
  readonly json?: boolean
  readonly quiet?: boolean
  readonly logFormat?: string
  readonly logLevel?: string
  readonly set?: readonly string[]
  readonly passwordFile?: string
}

export function createContext(command: Command): Context {
  const options = command.optsWithGlobals<GlobalOptions>()
  const { env } = process
  const output = new Output({
    json: options.json ?? false,
    quiet: options.quiet ?? false,
    noColor: Boolean(env.NO_COLOR),
    stdout: process.stdout,
    stderr: process.stderr,
  })
  const cwd = readWorkingDirectory()
  const given: ConfigFlags = {
    ...Object.fromEntries((options.set ?? []).map(splitSetting)),
    ...dropUndefined({
      data_dir: options.dataDir,
      'log.format': options.logFormat,
      'log.level': options.logLevel,
    }),
  }
  const { config: file, passwordFile } = options
  return makeContext({ output, env, cwd, file, passwordFile, flags: given, openTerminal }, (flags) =>
    loadConfig({ file, env, flags: { ...given, ...dropUndefined(flags) }, cwd }),
  )
}

function makeContext(base: Omit<Context, 'load' | 'at'>, load: (flags: ConfigFlags) => LoadedConfig): Context {
  return {
    ...base,
    load: (flags = {}) => load(flags),
    at: (dataDir) => makeContext(base, (flags) => load({ ...flags, data_dir: dataDir })),
  }
}

/** An option that was not given must not hide what `--set` says. */
function dropUndefined(flags: ConfigFlags): ConfigFlags {
  return Object.fromEntries(Object.entries(flags).filter(([, value]) => value !== undefined))
}

/** `key=value`, as the option was parsed. */
function splitSetting(text: string): [string, string] {
  const at = text.indexOf('=')
  return [text.slice(0, at), text.slice(at + 1)]
}

/** @throws ArchiveError CLI_FOLDER_GONE */
function readWorkingDirectory(): string {
  try {
    return process.cwd()
  } catch (cause) {
    const reason = (cause as NodeJS.ErrnoException).code ?? 'unknown'
    throw new ArchiveError('CLI_FOLDER_GONE', `the working directory is gone (${reason})`, { reason }, cause)
  }
}
