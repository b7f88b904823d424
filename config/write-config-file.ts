import { writeFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { stringify } from 'smol-toml'
import { ArchiveError, type Network } from '../core/index.ts'
import { readBaseLayer } from './base-config.ts'
import { type RawSetting, ROOT_TABLE } from './layers.ts'
import { checkSettings } from './load.ts'
import { makeFolder } from './make-folder.ts'
import { findNetworkName, KNOWN_NETWORKS, type KnownNetworkName } from './networks.ts'
import { formatInteger } from './schema.ts'

/** What `config init` asks; what is undefined keeps its default and is left out of the file. */
export interface ConfigAnswers {
  readonly enabled?: boolean | undefined
  /** host:port of each massa-node */
  readonly grpcUrls?: readonly string[] | undefined
  readonly network?: KnownNetworkName | Network | undefined
  readonly dataDir?: string | undefined
  readonly allocatedStorageGb?: number | undefined
  /** 0 for ever */
  readonly retentionPeriods?: number | undefined
}

/**
 * The text of a configuration file with these answers.
 *
 * @throws ArchiveError `CONFIG_VALUE_INVALID` when an answer is not allowed
 */
export function renderConfigFile(answers: ConfigAnswers): string {
  const network = typeof answers.network === 'string' ? KNOWN_NETWORKS[answers.network] : answers.network
  checkAnswers({
    enabled: answers.enabled,
    allocated_storage_gb: toInteger(answers.allocatedStorageGb),
    retention_periods: toInteger(answers.retentionPeriods),
    data_dir: answers.dataDir,
    'node.grpc_urls': answers.grpcUrls,
    'node.chain_id': network?.chainId,
    'node.genesis_timestamp_ms': network?.genesisTimestampMs,
  })
  const top: string[] = []
  const node: string[] = []
  const { enabled, allocatedStorageGb, retentionPeriods, dataDir, grpcUrls } = answers
  if (enabled !== undefined) top.push('# follow a massa-node, keep its history and serve it', `enabled = ${enabled}`)
  if (allocatedStorageGb !== undefined) {
    top.push(
      '# disk given to the archive, in GB of 10^9 bytes',
      `allocated_storage_gb = ${formatInteger(allocatedStorageGb)}`,
    )
  }
  if (retentionPeriods !== undefined) {
    top.push(
      '# newest periods to keep, one period is 16 s; 0 keeps all for ever',
      `retention_periods = ${formatInteger(retentionPeriods)}`,
    )
  }
  if (dataDir !== undefined) {
    top.push(
      '# folder of the archive; a relative path starts at the working directory',
      formatLine('data_dir', dataDir),
    )
  }
  if (grpcUrls !== undefined) {
    node.push('# public gRPC addresses of the massa-nodes to follow, as host:port', formatLine('grpc_urls', grpcUrls))
  }
  if (network !== undefined) {
    node.push(
      `# ${findNetworkName(network) ?? 'a private network'}`,
      `chain_id = ${formatInteger(network.chainId)}`,
      '# in ms since 1970',
      `genesis_timestamp_ms = ${formatInteger(network.genesisTimestampMs)}`,
    )
  }
  const lines = [
    '# Settings of massa-storage that differ from the defaults; docs/CONFIG.md lists them all.',
    `[${ROOT_TABLE}]`,
    ...top.map((line) => `    ${line}`),
    ...(node.length === 0 ? [] : ['', `    [${ROOT_TABLE}.node]`, ...node.map((line) => `        ${line}`)]),
  ]
  return `${lines.join('\n')}\n`
}

/**
 * Writes a new configuration file and the folders above it.
 *
 * @throws ArchiveError `CONFIG_FILE_EXISTS` when there is one and `force` is not set; `CONFIG_FILE_UNWRITABLE`; `CONFIG_VALUE_INVALID`
 */
export function writeConfigFile(
  path: string,
  answers: ConfigAnswers,
  options: { readonly force?: boolean } = {},
): void {
  const text = renderConfigFile(answers)
  try {
    makeFolder(dirname(resolve(path)))
    writeFileSync(path, text, { flag: options.force === true ? 'w' : 'wx' })
  } catch (cause) {
    const reason = (cause as NodeJS.ErrnoException).code ?? 'unknown'
    if (reason === 'EEXIST') throw new ArchiveError('CONFIG_FILE_EXISTS', `${path} exists`, { file: path }, cause)
    throw new ArchiveError('CONFIG_FILE_UNWRITABLE', `cannot write ${path} (${reason})`, { file: path, reason }, cause)
  }
}

function checkAnswers(answers: Readonly<Record<string, unknown>>): void {
  const raw = new Map<string, RawSetting>(readBaseLayer())
  for (const [path, value] of Object.entries(answers)) {
    if (value !== undefined) raw.set(path, { value, origin: 'answer', where: 'answer' })
  }
  checkSettings(raw)
}

// A fraction stays a number, which the schema refuses.
function toInteger(value: number | undefined): bigint | number | undefined {
  return Number.isInteger(value) ? BigInt(value as number) : value
}

function formatLine(key: string, value: string | readonly string[]): string {
  return stringify({ [key]: value }).trim()
}
