import { Command, CommanderError, Option } from 'commander'
import { readPackageVersion } from '../config/index.ts'
import { isArchiveError, parseBlockId, parseOperationId } from '../core/index.ts'
import { configCheck, configInit, configShow, type InitOptions } from './commands/config.ts'
import { doctor } from './commands/doctor.ts'
import { inspect } from './commands/inspect.ts'
import { listChunks } from './commands/list-chunks.ts'
import { prune } from './commands/prune.ts'
import { replay } from './commands/replay.ts'
import { type StartOptions, start } from './commands/start.ts'
import { status } from './commands/status.ts'
import { verify } from './commands/verify.ts'
import { type Context, createContext } from './context.ts'
import { EXIT_CODES, exitCodeOf } from './exit-codes.ts'
import { parseChunkPrefix, parseCount, parseHexPrefix, parsePeriod, parsePeriodRange } from './parse-arguments.ts'
import { usageErrorAsJson, usageErrorAsText } from './usage-errors.ts'

/**
 * The command line.
 *
 * @param args - without node and script
 * @returns the exit code
 */
export async function main(args: readonly string[]): Promise<number> {
  let exitCode: number = EXIT_CODES.ok.code
  const json = args.includes('--json') || args.includes('-j')
  outliveClosedPipes(args[0] === 'start')
  const program = createProgram(json, (code) => {
    exitCode = code
  })
  try {
    await program.parseAsync([...args], { from: 'user' })
    return exitCode
  } catch (error) {
    if (error instanceof CommanderError) {
      if (error.exitCode === 0) return EXIT_CODES.ok.code
      if (json) process.stderr.write(usageErrorAsJson(error.message))
      return EXIT_CODES.usage.code
    }
    // Ctrl-C at a question, or while the sidecar answers.
    if (error instanceof Error && error.name === 'AbortError') {
      if (process.stderr.isTTY) process.stderr.write('\n')
      return EXIT_CODES.interrupted.code
    }
    return reportFailure(error, json)
  }
}

type Action = (context: Context, signal: AbortSignal) => Promise<number> | number

function createProgram(json: boolean, onExit: (code: number) => void): Command {
  const program = new Command('massa-storage')
    .description("Keeps the whole history of Massa's blockchain beside a massa-node, provably.")
    .version(readPackageVersion())
    .option('-c, --config <file>', 'configuration file (default: config/config.toml, if it exists)')
    .option('--data-dir <dir>', 'folder of the archive')
    .option('--set <key=value>', 'any setting, e.g. node.poll_interval_ms=500; repeatable', collect)
    .option('-j, --json', 'answers, progress and errors as JSON')
    .option('-q, --quiet', 'answers only, no remarks and no progress')
    .addOption(new Option('--log-format <format>', 'log lines').choices(['auto', 'human', 'json']))
    .addOption(
      new Option('--log-level <level>', 'least severe log line').choices(['error', 'warn', 'info', 'debug', 'trace']),
    )
    .exitOverride()
    .showSuggestionAfterError(true)
    // With --json `main` says it, once, also where commander would print a help that nobody asked for.
    .configureOutput(
      json
        ? { outputError: () => {}, writeErr: () => {} }
        : { outputError: (text, write) => write(usageErrorAsText(text)) },
    )
    .configureHelp({ sortSubcommands: false })
  const run = (action: Action) => actOn(action, onExit)

  explain(program, 'massa-storage config init')
  add(program, 'start', 'Follow the massa-node and archive its final blocks.', 'massa-storage start')
    .addOption(new Option('--with-parent', 'end with the process that started it').hideHelp())
    .action((options: StartOptions, command) => run((context) => start(context, options))(command))
  add(
    program,
    'status',
    'Show what the running sidecar does; exit code 1 while it has a problem.',
    'massa-storage status --watch',
  )
    .option('-w, --watch', 'again every two seconds')
    .action((options: { watch?: boolean }, command) =>
      run((context, signal) => status(context, options, signal))(command),
    )
  add(program, 'list-chunks', 'List the chunks on this disk.', 'massa-storage list-chunks --period 100..110')
    .option('-p, --period <A..B>', 'only these periods', parsePeriodRange)
    .option('--prefix <hex>', 'only chunks whose id begins so', parseHexPrefix)
    .option('-n, --limit <count>', 'print at most so many', parseCount)
    .action((options, command) => run((context, signal) => listChunks(context, options, signal))(command))
  addInspect(program, run)
  add(
    program,
    'verify',
    'Check everything on disk against its hashes.',
    'massa-storage verify --period 100..200 --deep',
  )
    .option('-p, --period <A..B>', 'only these periods', parsePeriodRange)
    .option('--deep', 'also every Merkle tree')
    .option('--repair', 'rebuild the index and fetch damaged periods again from the massa-node')
    .action((options, command) => run((context, signal) => verify(context, options, signal))(command))
  add(program, 'prune', 'Delete the periods that retention_periods lets go.', 'massa-storage prune --dry-run')
    .option('--dry-run', 'only say what would be deleted')
    .action((options, command) => run((context, signal) => prune(context, options, signal))(command))
  add(program, 'doctor', 'Find what is set up wrong, and the line to change.', 'massa-storage doctor').action(
    (_options, command) => run((context) => doctor(context))(command),
  )
  addConfig(program, run)
  add(
    program,
    'replay',
    'Archive a recording of a massa-node: a real sidecar beside a replayed node.',
    'massa-storage replay --fast --exit-at-head',
  )
    .argument('[file]', 'recording, NDJSON or NDJSON.gz (default: the one that comes with massa-storage)')
    .option('--fast', 'as fast as the sidecar takes it')
    .option('--speed <factor>', 'so many times as fast as it was recorded', parseCount)
    .option('--exit-at-head', 'end when the head of the recording is archived')
    .action((file: string | undefined, options, command) =>
      run((context, signal) => replay(context, { file, ...options }, signal))(command),
    )
  return program
}

function addInspect(program: Command, run: (action: Action) => (command: Command) => Promise<void>): void {
  const inspectCommand = add(
    program,
    'inspect',
    'Show a period, block, operation or chunk.',
    'massa-storage inspect period 100 --json',
  )
  add(inspectCommand, 'period', 'Show a period: root, chunks, slots.', 'massa-storage inspect period 100')
    .argument('<period>', 'period number', parsePeriod)
    .action((period: number, _options, command) =>
      run((context, signal) =>
        inspect(context, { name: `period ${period}`, request: { kind: 'inspect-period', period } }, signal),
      )(command),
    )
  add(inspectCommand, 'block', 'Show a block by its id.', 'massa-storage inspect block B12...')
    .argument('<id>', 'block id, B...')
    .action((id: string, _options, command) =>
      run((context, signal) =>
        inspect(
          context,
          { name: `block ${parseId(id, parseBlockId)}`, request: { kind: 'inspect-block', id } },
          signal,
        ),
      )(command),
    )
  add(inspectCommand, 'operation', 'Show an operation by its id.', 'massa-storage inspect operation O12...')
    .argument('<id>', 'operation id, O...')
    .action((id: string, _options, command) =>
      run((context, signal) =>
        inspect(
          context,
          { name: `operation ${parseId(id, parseOperationId)}`, request: { kind: 'inspect-operation', id } },
          signal,
        ),
      )(command),
    )
  add(inspectCommand, 'chunk', 'Show a chunk by the beginning of its id.', 'massa-storage inspect chunk d6076b')
    .argument('<id>', 'chunk id, or its first 6 or more hex digits', parseChunkPrefix)
    .action((prefixHex: string, _options, command) =>
      run((context, signal) =>
        inspect(context, { name: `chunk ${prefixHex}`, request: { kind: 'inspect-chunk', prefixHex } }, signal),
      )(command),
    )
}

function addConfig(program: Command, run: (action: Action) => (command: Command) => Promise<void>): void {
  const config = add(program, 'config', 'Write, show or check the configuration.', 'massa-storage config show --origin')
  add(
    config,
    'init',
    'Ask what cannot be guessed and write config/config.toml.',
    'massa-storage config init --yes --grpc-url 127.0.0.1:33037',
  )
    .option('-y, --yes', 'ask nothing, take options and defaults')
    .option('--force', 'overwrite an existing file')
    .option('--grpc-url <host:port>', 'public gRPC address of a massa-node; repeatable', collect)
    .option('--network <network>', 'mainnet, buildnet, or CHAIN_ID:GENESIS_TIMESTAMP_MS')
    .option('--storage-gb <gb>', 'disk to give, in GB')
    .option('--retention-periods <periods>', 'periods to keep, 0 for ever')
    .option('--file <file>', 'where to write')
    .action((options: InitOptions, command) => run((context) => configInit(context, options))(command))
  add(config, 'show', 'Print every setting.', 'massa-storage config show --origin')
    .option('--origin', 'and where each comes from')
    .action((options: { origin?: boolean }, command) => run((context) => configShow(context, options))(command))
  add(config, 'check', 'Say whether the configuration is usable.', 'massa-storage config check').action(
    (_options, command) => run((context) => configCheck(context))(command),
  )
}

function add(parent: Command, name: string, description: string, example: string): Command {
  return explain(
    parent.command(name).description(description).exitOverride().configureHelp({ showGlobalOptions: true }),
    example,
  )
}

/** What each help ends with. */
function explain(command: Command, example: string): Command {
  const codes = Object.values(EXIT_CODES).map(({ code, meaning }) => `  ${String(code).padEnd(4)} ${meaning}`)
  return command.addHelpText('after', `\nExample:\n  ${example}\n\nExit codes:\n${codes.join('\n')}`)
}

/** SIGINT, SIGTERM and a hang-up abort a command; `start` listens for itself as well. */
function actOn(action: Action, onExit: (code: number) => void) {
  return async (command: Command): Promise<void> => {
    const aborting = new AbortController()
    const abort = (): void => aborting.abort()
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, abort)
    try {
      const code = await action(createContext(command), aborting.signal)
      onExit(
        aborting.signal.aborted && code === EXIT_CODES.ok.code && command.name() !== 'start'
          ? EXIT_CODES.interrupted.code
          : code,
      )
    } finally {
      for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.removeListener(signal, abort)
    }
  }
}

/** `list-chunks | head` ends quietly; the daemon goes on without its log. */
function outliveClosedPipes(isDaemon: boolean): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error
      if (!isDaemon) process.exit(EXIT_CODES.ok.code)
    })
  }
}

function reportFailure(error: unknown, json: boolean): number {
  const code = exitCodeOf(error)
  if (isArchiveError(error) && error.kind !== 'bug') {
    const text = json
      ? JSON.stringify({ error: { code: error.code, message: error.message, hint: error.action } })
      : `massa-storage: ${error.message} (${error.code})\n${error.action}`
    process.stderr.write(`${text}\n`)
    return code
  }
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error)
  process.stderr.write(
    json
      ? `${JSON.stringify({ error: { code: isArchiveError(error) ? error.code : 'BUG', message: stack } })}\n`
      : `massa-storage: this is a bug, please report it${isArchiveError(error) ? ` (${error.code})` : ''}\n${stack}\n`,
  )
  return code
}

/** The id itself, once it is known to be one. @throws ArchiveError CORE_BASE58_INVALID */
function parseId(id: string, parse: (text: string) => unknown): string {
  parse(id)
  return id
}

function collect(value: string, previous: readonly string[] = []): string[] {
  return [...previous, value]
}
