import { API_CODES } from './error-codes/api-codes.ts'
import { ARCHIVER_CODES } from './error-codes/archiver-codes.ts'
import { CHAIN_CODES } from './error-codes/chain-codes.ts'
import { CLI_CODES } from './error-codes/cli-codes.ts'
import { CONFIG_CODES } from './error-codes/config-codes.ts'
import { CONTRACT_CODES } from './error-codes/contract-codes.ts'
import { CORE_CODES } from './error-codes/core-codes.ts'
import { DEVNET_CODES } from './error-codes/devnet-codes.ts'
import { PLACEMENT_CODES } from './error-codes/placement-codes.ts'
import { PROTOCOL_CODES } from './error-codes/protocol-codes.ts'
import { READING_CODES } from './error-codes/reading-codes.ts'
import { STORE_CODES } from './error-codes/store-codes.ts'
import { WALLET_CODES } from './error-codes/wallet-codes.ts'
import { REGISTRY_ERROR_CODES } from './registry/error-codes.ts'

export type { ErrorKind } from './error-codes/error-entry.ts'

/**
 * Every error this software can raise, room by room. Codes are stable, messages are not.
 * `docs/ERRORS.md` is generated from this table.
 */
export const ERROR_CODES = {
  ...CORE_CODES,
  ...READING_CODES,
  ...CONFIG_CODES,
  ...ARCHIVER_CODES,
  ...PROTOCOL_CODES,
  ...DEVNET_CODES,
  ...STORE_CODES,
  ...PLACEMENT_CODES,
  ...CHAIN_CODES,
  ...WALLET_CODES,
  ...CONTRACT_CODES,
  ...REGISTRY_ERROR_CODES,
  ...API_CODES,
  ...CLI_CODES,
} as const

export type ErrorCode = keyof typeof ERROR_CODES
