import type { ErrorCode } from '../core/error-codes.ts'
import { isArchiveError } from '../core/errors.ts'

/** Exit codes, the same for every command; each `--help` ends with them. */
export const EXIT_CODES = {
  ok: { code: 0, meaning: 'done' },
  failed: { code: 1, meaning: 'failed' },
  usage: { code: 2, meaning: 'wrong usage or configuration' },
  unreachable: { code: 3, meaning: 'the sidecar, the massa-node or the server does not answer' },
  notFound: { code: 4, meaning: 'not found in this archive' },
  invalid: { code: 5, meaning: 'verification failed' },
  wallet: { code: 6, meaning: 'the wallet does not open' },
  refused: { code: 7, meaning: 'the contract or the chain refused the call' },
  timeout: {
    code: 8,
    meaning: 'not answered in time, or what became of what was sent is not known',
  },
  underFloor: { code: 9, meaning: 'cluster check: chunks have fewer copies than they are to have' },
  interrupted: { code: 130, meaning: 'interrupted' },
} as const

/** No fault of the command line, although the command line says it. */
const FAILED_CODES: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'CLI_OUTPUT_FAILED',
  'CLI_REPLAY_INCOMPLETE',
  'CLI_ROLES_UNKNOWN',
])

const USAGE_CODES: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'API_BIND_FAILED',
  'API_CHAIN_OFF',
  'API_CHUNK_UNCLAIMED',
  'API_HISTORY_OFF',
  'API_IMPORT_APART',
  'API_NAME_AMBIGUOUS',
  'API_PEER_INVALID',
  'API_QUERY_INVALID',
  'API_RETENTION_DIFFERENT',
  'API_TOKEN_WRONG',
  'CHAIN_BALANCE_SHORT',
  'CHAIN_FEE_TOO_HIGH',
  'CHAIN_KEY_INVALID',
  'CHAIN_KEY_MISSING',
  'CHAIN_NETWORK_MISMATCH',
  'CHAIN_QUOTE_EXCEEDED',
  'CHAIN_URL_MISSING',
  'CONTRACT_ARGUMENT_INVALID',
  'CONTRACT_DEPLOYING',
  'CONTRACT_EXISTS',
  'CONTRACT_FUNCTION_UNKNOWN',
  'CONTRACT_NO_DELAY',
  'CONTRACT_NODE_WEIGHTLESS',
  'CONTRACT_NOT_ANNOUNCED',
  'CONTRACT_UNCHANGED',
  'CORE_BASE58_INVALID',
  'CORE_BYTES_INVALID',
  'CORE_NUMBER_OUT_OF_RANGE',
  'DEVNET_ACCOUNTS_INVALID',
  'DEVNET_CHAIN_MISMATCH',
  'DEVNET_CHAIN_UNAVAILABLE',
  'DEVNET_COMMAND_REFUSED',
  'DEVNET_DIRECTORY_INVALID',
  'DEVNET_LISTEN_FAILED',
  'DEVNET_PARAMS_INVALID',
  'DEVNET_PORT_BUSY',
  'DEVNET_PROGRAM_INVALID',
  'DEVNET_RUNNING',
  'PLACEMENT_ERA_OTHER',
  'PLACEMENT_REGISTRY_MISSING',
  'REGISTRY_ADDRESS_INVALID',
  'REGISTRY_ARGS_INVALID',
  'REGISTRY_BATCH_INVALID',
  'REGISTRY_CHALLENGE_ID_INVALID',
  'REGISTRY_CHUNK_ID_INVALID',
  'REGISTRY_CODE_INVALID',
  'REGISTRY_CONFIG_INVALID',
  'REGISTRY_LIMIT_INVALID',
  'REGISTRY_MAINNET_REFUSED',
  'REGISTRY_METADATA_INVALID',
  'STORE_ACCESS_DENIED',
  'STORE_FILE_EXISTS',
  'STORE_FILE_NO_RANGES',
  'STORE_IDENTITY_MISMATCH',
  'STORE_MISSING',
  'STORE_READ_ONLY',
  'WALLET_FILE_EXISTS',
  'WALLET_FILE_UNWRITABLE',
])

const DAMAGE_CODES: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'CONTRACT_CODE_DIFFERENT',
  'CONTRACT_REWARDS_DIFFERENT',
  'CORE_ARCHIVE_FILE_INVALID',
  'STORE_DATABASE_DAMAGED',
  'STORE_FILE_ERA_OTHER',
  'STORE_FILE_ROOT_OTHER',
  'STORE_FILE_UNBOUND',
  'STORE_FILE_UNLINKED',
  'STORE_IDENTITY_DAMAGED',
  'STORE_PERIOD_CONFLICT',
  'STORE_VALUE_CORRUPT',
  'STORE_VALUE_MISSING',
])

const UNREACHABLE_CODES: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'API_PEER_UNCONNECTED',
  'ARCHIVER_NODE_UNREACHABLE',
  'CHAIN_NODE_UNREACHABLE',
  'CLI_GATEWAY_FAILED',
  'CLI_SIDECAR_UNREACHABLE',
  'DEVNET_NOT_RUNNING',
  'DEVNET_NO_ANSWER',
  'PLACEMENT_TIMEOUT',
  'STORE_FILE_UNREACHABLE',
])

const NOT_FOUND_CODES: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'API_CHUNK_UNKNOWN',
  'CLI_NOT_FOUND',
  'CORE_READING_NOT_HELD',
  'STORE_CHUNK_AWAY',
  'STORE_EXPORT_INCOMPLETE',
  'STORE_FILE_UNREADABLE',
])

const REFUSED_CODES: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'CHAIN_NODE_REFUSED',
  'CHAIN_OPERATION_FAILED',
  'CHAIN_TRIAL_FAILED',
])

const TIMEOUT_CODES: ReadonlySet<ErrorCode> = new Set<ErrorCode>(['CHAIN_OPERATION_EXPIRED', 'CHAIN_OUTCOME_UNKNOWN'])

export function exitCodeOf(error: unknown): number {
  if (!isArchiveError(error)) return EXIT_CODES.failed.code
  if (NOT_FOUND_CODES.has(error.code)) return EXIT_CODES.notFound.code
  if (UNREACHABLE_CODES.has(error.code)) return EXIT_CODES.unreachable.code
  if (FAILED_CODES.has(error.code)) return EXIT_CODES.failed.code
  if (error.code.startsWith('CONFIG_') || error.code.startsWith('CLI_') || USAGE_CODES.has(error.code)) {
    return EXIT_CODES.usage.code
  }
  if (DAMAGE_CODES.has(error.code) || error.code.startsWith('CORE_READING_')) return EXIT_CODES.invalid.code
  if (error.code.startsWith('WALLET_')) return EXIT_CODES.wallet.code
  if (error.code.startsWith('REGISTRY_') || REFUSED_CODES.has(error.code)) return EXIT_CODES.refused.code
  if (TIMEOUT_CODES.has(error.code)) return EXIT_CODES.timeout.code
  return EXIT_CODES.failed.code
}
