import { Command, CommanderError, Option } from 'commander'
import { readPackageVersion } from '../config/package-root.ts'
import type { ChunkRole } from '../storage-worker/index.ts'
import { type Action, add, explain, type Run } from './add-command.ts'
import { addArchiveFiles } from './archive-file-commands.ts'
import { addAccount } from './chain-commands.ts'
import { addChallenges } from './challenge-commands.ts'
import { addChunk } from './chunk-commands.ts'
import { addCluster } from './cluster-commands.ts'
import type { InitOptions } from './commands/config-init.ts'
import type { StartOptions } from './commands/start.ts'
import { addContract } from './contract-commands.ts'
import { addDevnet } from './devnet-commands.ts'
import { addEconomics } from './economics-commands.ts'
import { addEras } from './era-commands.ts'
import { EXIT_CODES } from './exit-codes.ts'
import { addGet } from './get-commands.ts'
import { addIndex } from './index-commands.ts'
import {
  collectSetting,
  parseChunkPrefix,
  parseCount,
  parseDuration,
  parseHexPrefix,
  parseLogLevel,
  parsePeriod,
  parsePeriodRange,
} from './parse-arguments.ts'
import { addRewards } from './rewards-commands.ts'
import { usageErrorAsJson, usageErrorAsText } from './usage-errors.ts'
import { type OutputWatch, reportFailure, watchOutputs } from './watch-outputs.ts'

// A command is imported when it runs, and so is what it needs: the server of the API and the client of the nodes take
// longer to load than `--version` and `status` take to answer.

/** They have processes or folders to put away: they are told to end when nobody takes what they print. */
const ENDING_IN_ORDER: ReadonlySet<string> = new Set(['up', 'node', 'replay'])

/** `CHUNK_ROLES` of the archive, which is loaded when the command runs. */
const ROLES = ['primary', 'replica', 'extra', 'none'] as const satisfies readonly ChunkRole[]

/** How the one program is called. `massa-cli` has the commands of the archive below `storage`. */
export type ProgramName = 'massa-storage' | 'massa-cli'

/**
 * The command line.
 *
 * @param args - without node and script
 * @returns the exit code
 */
export async function main(args: readonly string[], name: ProgramName = 'massa-storage'): Promise<number> {
  let exitCode: number = EXIT_CODES.ok.code
  const json = args.includes('--json') || args.includes('-j')
  // Options may stand before it.
  const outputs = watchOutputs(args.includes('start'), json)
  const onExit = (code: number): void => {
    exitCode = code
  }
  const program = createProgram(name, { json, outputs, onExit })
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

interface Surroundings {
  readonly json: boolean
  readonly outputs: OutputWatch
  readonly onExit: (code: number) => void
}

function createProgram(name: ProgramName, { json, outputs, onExit }: Surroundings): Command {
  const program = new Command(name)
    .description("Keeps the whole history of Massa's blockchain beside a massa-node, provably.")
    .version(readPackageVersion())
    .option('-c, --config <file>', 'configuration file (default: config/config.toml, if it exists)')
    .option('--data-dir <dir>', 'folder of the archive')
    .option('--set <key=value>', 'any setting, e.g. node.poll_interval_ms=500; repeatable', collectSetting)
    .option(
      '--password-file <file>',
      'file with the password of the wallet (default: MASSA_STORAGE_PASSWORD, or asked)',
    )
    .option('-j, --json', 'answers, progress and errors as JSON')
    .option('-q, --quiet', 'answers, warnings and questions only: no remarks, no progress')
    .addOption(new Option('--log-format <format>', 'log lines').choices(['auto', 'human', 'json']))
    .addOption(
      new Option('--log-level <level>', 'least severe log line: error, warn, info, debug, trace, or 0 to 4').argParser(
        parseLogLevel,
      ),
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
  const run: Run = (action) => actOn(action, outputs, onExit)

  explain(program, name === 'massa-storage' ? 'massa-storage config init' : 'massa-storage wallet balance')
  const archive =
    name === 'massa-storage'
      ? program
      : add(program, 'storage', 'The archive on this machine.', 'massa-storage list-chunks')
  addArchive(archive, run)
  addContract(program, run)
  addAccount(program, run)
  addEconomics(program, run)
  addRewards(program, run)
  addDevnet(program, run)
  return program
}

/** What needs no chain beyond the node that is archived. */
function addArchive(program: Command, run: Run): void {
  add(program, 'start', 'Follow the massa-node and archive its final blocks.', 'massa-storage start')
    .option('--auto-deploy', 'deploy a storage-registry first when none is configured, after showing the price')
    .option('--params <file>', 'with --auto-deploy: TOML file with the settings of the registry')
    .option('-y, --yes', 'with --auto-deploy: spend without asking')
    .addOption(new Option('--with-parent', 'end with the process that started it').hideHelp())
    .action((options: StartOptions, command) =>
      run(async (context, signal) => (await import('./commands/start.ts')).start(context, options, signal))(command),
    )
  add(
    program,
    'status',
    'Show what the running sidecar does; exit code 1 while it has a problem.',
    'massa-storage status --watch',
  )
    .option('-w, --watch', 'again every two seconds')
    .action((options: { watch?: boolean }, command) =>
      run(async (context, signal) => (await import('./commands/status.ts')).status(context, options, signal))(command),
    )
  addPeers(program, run)
  add(program, 'list-chunks', 'List the chunks on this disk.', 'massa-storage list-chunks --period 100..110')
    .option('-p, --period <A..B>', 'only these periods', parsePeriodRange)
    .option('--prefix <hex>', 'only chunks whose id begins so', parseHexPrefix)
    .addOption(
      new Option('--role <role>', 'only chunks that are here as this, by the placement in force').choices(ROLES),
    )
    .option('-n, --limit <count>', 'print at most so many', parseCount)
    .action((options, command) =>
      run(async (context, signal) => (await import('./commands/list-chunks.ts')).listChunks(context, options, signal))(
        command,
      ),
    )
  addChunk(program, run)
  addCluster(program, run)
  addChallenges(program, run)
  addEras(program, run)
  addGet(program, run)
  addIndex(program, run)
  addInspect(program, run)
  add(
    program,
    'verify',
    'Check everything on disk, or an archive file, against its hashes.',
    'massa-storage verify --period 100..200 --deep',
  )
    .argument('[file]', 'archive file (.mhs), or its http address, in place of the archive')
    .option('-p, --period <A..B>', 'only these periods', parsePeriodRange)
    .option('--deep', 'also every Merkle tree')
    .option('--repair', 'rebuild the index and fetch damaged periods again from the massa-node')
    .action((file: string | undefined, options, command) =>
      run(async (context, signal) =>
        file === undefined
          ? (await import('./commands/verify.ts')).verify(context, options, signal)
          : (await import('./commands/verify-file.ts')).verifyFile(context, { file, ...options }, signal),
      )(command),
    )
  add(program, 'prune', 'Delete the periods that retention_periods lets go.', 'massa-storage prune --dry-run')
    .option('--dry-run', 'only say what would be deleted')
    .action((options, command) =>
      run(async (context, signal) => (await import('./commands/prune.ts')).prune(context, options, signal))(command),
    )
  addArchiveFiles(program, run)
  add(program, 'doctor', 'Find what is set up wrong, and the line to change.', 'massa-storage doctor').action(
    (_options, command) => run(async (context) => (await import('./commands/doctor.ts')).doctor(context))(command),
  )
  addConfig(program, run)
  add(
    program,
    'replay',
    'Archive a recording of a massa-node: a real sidecar beside a replayed node.',
    'massa-storage replay --fast --exit-at-head',
  )
    .argument('[file]', 'recording, NDJSON or NDJSON.gz (default: the one that comes with massa-storage)')
    .addOption(new Option('--fast', 'as fast as the sidecar takes it').conflicts('speed'))
    .option('--speed <factor>', 'so many times as fast as it was recorded', parseCount)
    .option('--exit-at-head', 'end when the head of the recording is archived')
    .action((file: string | undefined, options, command) =>
      run(async (context, signal) =>
        (await import('./commands/replay.ts')).replay(context, { file, ...options }, signal),
      )(command),
    )
}

function addInspect(program: Command, run: Run): void {
  const inspectCommand = add(
    program,
    'inspect',
    'Show a period, block, operation or chunk.',
    'massa-storage inspect period 100 --json',
  )
  add(inspectCommand, 'period', 'Show a period: root, chunks, slots.', 'massa-storage inspect period 100')
    .argument('<period>', 'period number', parsePeriod)
    .action((period: number, _options, command) =>
      run(async (context, signal) =>
        (await import('./commands/inspect.ts')).inspect(
          context,
          { name: `period ${period}`, request: { kind: 'inspect-period', period } },
          signal,
        ),
      )(command),
    )
  add(inspectCommand, 'block', 'Show a block by its id.', 'massa-storage inspect block B12...')
    .argument('<id>', 'block id, B...')
    .action((id: string, _options, command) =>
      run(async (context, signal) =>
        (await import('./commands/inspect.ts')).inspect(
          context,
          { name: `block ${id}`, request: { kind: 'inspect-block', id } },
          signal,
        ),
      )(command),
    )
  add(inspectCommand, 'operation', 'Show an operation by its id.', 'massa-storage inspect operation O12...')
    .argument('<id>', 'operation id, O...')
    .action((id: string, _options, command) =>
      run(async (context, signal) =>
        (await import('./commands/inspect.ts')).inspect(
          context,
          { name: `operation ${id}`, request: { kind: 'inspect-operation', id } },
          signal,
        ),
      )(command),
    )
  add(inspectCommand, 'chunk', 'Show a chunk by the beginning of its id.', 'massa-storage inspect chunk d6076b')
    .argument('<id>', 'chunk id, or its first 6 or more hex digits', parseChunkPrefix)
    .action((prefixHex: string, _options, command) =>
      run(async (context, signal) =>
        (await import('./commands/inspect.ts')).inspect(
          context,
          { name: `chunk ${prefixHex}`, request: { kind: 'inspect-chunk', prefixHex } },
          signal,
        ),
      )(command),
    )
}

function addConfig(program: Command, run: Run): void {
  const config = add(program, 'config', 'Write, show or check the configuration.', 'massa-storage config show --origin')
  add(
    config,
    'init',
    'Ask what cannot be guessed and write config/config.toml.',
    'massa-storage config init --yes --grpc-url 127.0.0.1:33037',
  )
    .option('-y, --yes', 'ask nothing, take options, --set and defaults')
    .option('--force', 'replace [distributed_storage] where the file has it')
    .option('--grpc-url <host:port>', 'public gRPC address of a massa-node; repeatable', collect)
    .option('--network <network>', 'mainnet, buildnet, or CHAIN_ID:GENESIS_TIMESTAMP_MS')
    .option('--storage-gb <gb>', 'disk to give, in GB')
    .option('--retention-periods <periods>', 'periods to keep, 0 for ever')
    .option('--file <file>', 'where to write (default: the file that --config names)')
    .action((options: InitOptions, command) =>
      run(async (context) => (await import('./commands/config-init.ts')).configInit(context, options))(command),
    )
  add(config, 'show', 'Print every setting.', 'massa-storage config show --origin')
    .option('--origin', 'and where each comes from')
    .action((options: { origin?: boolean }, command) =>
      run(async (context) => (await import('./commands/config.ts')).configShow(context, options))(command),
    )
  add(config, 'check', 'Say whether the configuration is usable.', 'massa-storage config check').action(
    (_options, command) => run(async (context) => (await import('./commands/config.ts')).configCheck(context))(command),
  )
}

function addPeers(program: Command, run: Run): void {
  const peers = add(program, 'peers', 'Show which other sidecars the running one knows.', 'massa-storage peers').action(
    (_options, command) =>
      run(async (context, signal) => (await import('./commands/peers.ts')).peers(context, signal))(command),
  )
  add(peers, 'ban <peer>', 'Cut a peer off and refuse it.', 'massa-storage peers ban 12D3KooW... --for 2h')
    .addOption(new Option('--for <time>', 'how long: 30m, 2h, 7d').argParser(parseDuration).default(86_400_000, '1d'))
    .action((peer: string, options: { for: number }, command) =>
      run(async (context, signal) =>
        (await import('./commands/peers.ts')).peersBan(context, peer, { forMs: options.for }, signal),
      )(command),
    )
  add(peers, 'unban <peer>', 'Take a peer back.', 'massa-storage peers unban 12D3KooW...').action(
    (peer: string, _options, command) =>
      run(async (context, signal) => (await import('./commands/peers.ts')).peersUnban(context, peer, signal))(command),
  )
}

/** SIGINT, SIGTERM and a hang-up abort a command, from before it is loaded: the reason says which. */
function actOn(action: Action, outputs: OutputWatch, onExit: (code: number) => void) {
  return async (command: Command): Promise<void> => {
    const aborting = new AbortController()
    const abort = (name: string): void => aborting.abort(new DOMException(name, 'AbortError'))
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, abort)
    // Who was started with a channel ends with the process at its other end; `start` only when it is told to.
    if (command.name() !== 'start') {
      process.once('disconnect', () => abort('disconnect'))
      process.channel?.unref()
    }
    let brokenCode: number | undefined
    if (ENDING_IN_ORDER.has(command.name())) {
      outputs.onBroken = (code) => {
        brokenCode ??= code
        abort('output')
      }
    }
    try {
      const { createContext } = await import('./context.ts')
      const code = await action(createContext(command), aborting.signal)
      const isCut = aborting.signal.aborted && code === EXIT_CODES.ok.code && command.name() !== 'start'
      onExit(brokenCode ?? (isCut ? EXIT_CODES.interrupted.code : code))
    } finally {
      outputs.onBroken = undefined
      for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.removeListener(signal, abort)
    }
  }
}

function collect(value: string, previous: readonly string[] = []): string[] {
  return [...previous, value]
}
