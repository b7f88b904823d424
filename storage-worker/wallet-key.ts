import { readFileSync, statSync } from 'node:fs'
import { SECRET_KEY_ENV } from '../config/index.ts'
import { ArchiveError, formatSecretKey, parseSecretKey } from '../core/index.ts'
import {
  computeKeyAddress,
  looksLikeWallet,
  MAX_WALLET_BYTES,
  openWallet,
  parseWallet,
  type WalletFile,
} from './wallet-file.ts'

/** A key takes 51 or so; a longer file is a wallet or something else. */
const MAX_KEY_FILE_BYTES = 256

/** Who has both does not see why the file is not read. */
const FROM_ENV = `environment variable ${SECRET_KEY_ENV}, which wins over \`contract.key_file\`,`

/** Where the key that signs operations is: in the environment, else in a file. */
export interface KeySource {
  /** Absolute; '' for none. */
  readonly file: string
  readonly env: Readonly<Record<string, string | undefined>>
  /** Told that others may read an encrypted wallet. massa-client leaves it so. */
  readonly onWarning?: (text: string) => void
}

type FoundKey =
  | { readonly kind: 'secret'; readonly secretKey: string }
  | { readonly kind: 'wallet'; readonly wallet: WalletFile; readonly file: string }

/**
 * The secret key that signs operations. A bare key (S1...) must be in a file that only its owner may read.
 *
 * The key is in no message and no error.
 *
 * @returns its text, S1...; undefined when there is none
 * @throws ArchiveError CHAIN_KEY_INVALID; WALLET_FILE_INVALID, WALLET_PASSWORD_WRONG; what `readPassword` throws
 */
export async function readWalletKey(
  source: KeySource & { readonly readPassword: (file: string) => Promise<string> },
): Promise<string | undefined> {
  const found = await findKey(source)
  if (found?.kind !== 'wallet') return found?.secretKey
  return openWallet(found.wallet, await source.readPassword(found.file), found.file)
}

/**
 * The address that the key signs for, without any password.
 *
 * @throws ArchiveError CHAIN_KEY_INVALID, WALLET_FILE_INVALID
 */
export async function readWalletAddress(source: KeySource): Promise<string | undefined> {
  const found = await findKey(source)
  return found?.kind === 'wallet' ? found.wallet.address : found && computeKeyAddress(found.secretKey)
}

async function findKey({ file, env, onWarning }: KeySource): Promise<FoundKey | undefined> {
  const fromEnv = env[SECRET_KEY_ENV]
  if (fromEnv !== undefined && fromEnv !== '') {
    return { kind: 'secret', secretKey: checkKey(fromEnv, FROM_ENV) }
  }
  if (file === '') return undefined
  const { text, isShared } = readKeyFile(file)
  if (looksLikeWallet(text)) {
    if (isShared) onWarning?.(`${file} may be read by others, who may then try passwords: chmod 600 it`)
    return { kind: 'wallet', file, wallet: await parseWallet(text, file) }
  }
  if (isShared) throw invalid(`${file} may be read by others: chmod 600 it`)
  if (text.length > MAX_KEY_FILE_BYTES) throw invalid(`${file} is too long to be a secret key, and no wallet`)
  return { kind: 'secret', secretKey: checkKey(text, file) }
}

function readKeyFile(file: string): { readonly text: string; readonly isShared: boolean } {
  try {
    const { mode, size } = statSync(file)
    if (size > MAX_WALLET_BYTES) throw invalid(`${file} is too long to be a secret key or a wallet`)
    return { text: readFileSync(file, 'utf8'), isShared: (mode & 0o077) !== 0 }
  } catch (cause) {
    if (cause instanceof ArchiveError) throw cause
    throw invalid(`cannot read ${file} (${(cause as NodeJS.ErrnoException).code ?? 'unknown'})`)
  }
}

/** @param where - what it was read from, as a message begins @throws ArchiveError CHAIN_KEY_INVALID */
export function checkKey(text: string, where: string): string {
  try {
    return formatSecretKey(parseSecretKey(text.trim()))
  } catch {
    // The cause would quote the key.
    throw invalid(`${where} is no Massa secret key (S1...)`)
  }
}

function invalid(message: string): ArchiveError {
  return new ArchiveError('CHAIN_KEY_INVALID', message)
}
