import { join, resolve } from 'node:path'
import {
  type ConfigAnswers,
  checkConfigFile,
  findConfigFile,
  KNOWN_NETWORKS,
  type KnownNetworkName,
  renderConfigFile,
  writeConfigFile,
} from '../../config/index.ts'
import { ArchiveError, isArchiveError } from '../../core/index.ts'
import type { Context } from '../context.ts'
import { EXIT_CODES } from '../exit-codes.ts'
import type { Terminal } from '../terminal.ts'

export interface InitOptions {
  readonly yes?: boolean
  readonly force?: boolean
  readonly grpcUrl?: readonly string[]
  readonly network?: string
  readonly storageGb?: string
  readonly retentionPeriods?: string
  readonly file?: string
}

interface Question {
  readonly text: string
  readonly fallback: string
  /** The answer that an option gives. */
  readonly given: string | undefined
  /** The settings that `--set` may give instead. */
  readonly keys: readonly string[]
  /** @throws ArchiveError CONFIG_VALUE_INVALID when the answer cannot be read; what it says is checked by the schema */
  readonly parse: (answer: string) => ConfigAnswers
}

/**
 * Asks what cannot be guessed and writes the file that other commands would read.
 *
 * @throws ArchiveError CLI_NO_TERMINAL when nobody can be asked and `--yes` is not given, CLI_USAGE, CONFIG_*
 */
export async function configInit(context: Context, options: InitOptions): Promise<number> {
  const path = chooseFile(context, options)
  checkConfigFile(path, { force: options.force ?? false })
  const questions = listQuestions(options)
  // Wrong options are refused before anything is asked.
  let answers: ConfigAnswers = { enabled: true, settings: context.flags }
  renderConfigFile(answers)
  for (const { given, parse } of questions) if (given !== undefined) answers = { ...answers, ...parse(given) }
  const unanswered = questions.filter(
    ({ given, keys }) => given === undefined && !keys.every((key) => context.flags[key]),
  )
  const terminal = options.yes ? undefined : openOrRefuse(context)
  try {
    for (const question of unanswered) {
      const answer = terminal ? await ask(terminal, question) : question.parse(question.fallback)
      answers = { ...answers, ...answer }
    }
  } finally {
    terminal?.close()
  }
  writeConfigFile(path, answers, { force: options.force ?? false })
  context.output.value({ file: path })
  const which = nameForOthers(context, options, path)
  context.output.line(
    `Wrote ${path}. Next: 'massa-storage doctor${which}' checks it, 'massa-storage start${which}' runs it.`,
  )
  return EXIT_CODES.ok.code
}

/** `--file`, or what other commands would read. */
function chooseFile(context: Context, options: InitOptions): string {
  const { cwd, env, file } = context
  const named = file ?? options.file
  if (file !== undefined && options.file !== undefined && resolve(cwd, file) !== resolve(cwd, options.file)) {
    throw new ArchiveError('CLI_USAGE', `--file ${options.file} and --config ${file} name two files`)
  }
  return findConfigFile({ file: named, env, cwd }) ?? join(cwd, 'config', 'config.toml')
}

/** What to add to a command so that it reads this file; nothing where it does so by itself. */
function nameForOthers({ cwd, env, file }: Context, options: InitOptions, path: string): string {
  if (findConfigFile({ env, cwd }) === path) return ''
  const name = file ?? options.file ?? path
  return ` -c ${/^[\w./-]+$/.test(name) ? name : JSON.stringify(name)}`
}

function listQuestions(options: InitOptions): Question[] {
  return [
    {
      text: 'Public gRPC address of your massa-node, host:port',
      fallback: '127.0.0.1:33037',
      given: options.grpcUrl?.join(','),
      keys: ['node.grpc_urls'],
      parse: (answer) => check({ grpcUrls: answer.split(',').map((node) => node.trim()) }),
    },
    {
      text: 'Network: mainnet, buildnet, or CHAIN_ID:GENESIS_TIMESTAMP_MS',
      fallback: 'mainnet',
      given: options.network,
      keys: ['node.chain_id', 'node.genesis_timestamp_ms'],
      parse: (answer) => check({ network: parseNetwork(answer) }),
    },
    {
      text: 'Disk to give, in GB',
      fallback: '10',
      given: options.storageGb,
      keys: ['allocated_storage_gb'],
      parse: (answer) => check({ allocatedStorageGb: parseNumber(answer, 'allocated_storage_gb') }),
    },
    {
      text: 'Periods to keep (16 s each, 0 keeps all for ever)',
      fallback: '0',
      given: options.retentionPeriods,
      keys: ['retention_periods'],
      parse: (answer) => check({ retentionPeriods: parseNumber(answer, 'retention_periods') }),
    },
  ]
}

/** Until an answer is allowed: one wrong line must not cost those before it. */
async function ask(terminal: Terminal, { text, fallback, parse }: Question): Promise<ConfigAnswers> {
  for (;;) {
    const answer = await terminal.question(`${text} [${fallback}]: `)
    try {
      return parse(answer || fallback)
    } catch (error) {
      if (!isArchiveError(error, 'CONFIG_VALUE_INVALID')) throw error
      terminal.say(error.message)
    }
  }
}

function openOrRefuse(context: Context): Terminal {
  const terminal = context.openTerminal()
  if (terminal) return terminal
  throw new ArchiveError('CLI_NO_TERMINAL', 'config init asks questions, and there is no terminal to answer at')
}

/** The same answers, once they are known to be allowed. @throws ArchiveError CONFIG_VALUE_INVALID */
function check(answers: ConfigAnswers): ConfigAnswers {
  renderConfigFile(answers)
  return answers
}

function parseNetwork(text: string): ConfigAnswers['network'] {
  if (Object.hasOwn(KNOWN_NETWORKS, text)) return text as KnownNetworkName
  const match = /^(\d{1,20}):(\d{1,20})$/.exec(text)
  if (!match?.[1] || !match[2]) {
    throw new ArchiveError(
      'CONFIG_VALUE_INVALID',
      `'${text}' is no network: mainnet, buildnet, or CHAIN_ID:GENESIS_TIMESTAMP_MS`,
    )
  }
  return { chainId: BigInt(match[1]), genesisTimestampMs: BigInt(match[2]) }
}

function parseNumber(text: string, key: string): number {
  if (!/^\d{1,15}$/.test(text))
    throw new ArchiveError('CONFIG_VALUE_INVALID', `${key}: '${text}' is not a whole number`)
  return Number(text)
}
