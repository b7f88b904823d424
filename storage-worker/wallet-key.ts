import { readFileSync, statSync } from 'node:fs'
import { SECRET_KEY_ENV } from '../config/index.ts'
import { ArchiveError, formatSecretKey, parseSecretKey } from '../core/index.ts'

/** A key takes 51 or so; a longer file is something else. */
const MAX_FILE_BYTES = 256

/**
 * The secret key that signs operations, from the environment, else from a file that only its owner may read.
 *
 * The key is in no message and no error.
 *
 * @returns its text, S1...; undefined when neither is there
 * @throws ArchiveError CHAIN_KEY_INVALID
 */
export function readWalletKey(source: {
  readonly file: string
  readonly env: Readonly<Record<string, string | undefined>>
}): string | undefined {
  const fromEnv = source.env[SECRET_KEY_ENV]
  if (fromEnv !== undefined && fromEnv !== '') return checkKey(fromEnv, `environment variable ${SECRET_KEY_ENV}`)
  if (source.file === '') return undefined
  return checkKey(readKeyFile(source.file), source.file)
}

function readKeyFile(file: string): string {
  try {
    const { mode, size } = statSync(file)
    if ((mode & 0o077) !== 0) throw invalid(`${file} may be read by others: chmod 600 it`)
    if (size > MAX_FILE_BYTES) throw invalid(`${file} is too long to be a secret key`)
    return readFileSync(file, 'latin1')
  } catch (cause) {
    if (cause instanceof ArchiveError) throw cause
    throw invalid(`cannot read ${file} (${(cause as NodeJS.ErrnoException).code ?? 'unknown'})`)
  }
}

function checkKey(text: string, where: string): string {
  try {
    return formatSecretKey(parseSecretKey(text.trim()))
  } catch {
    // The cause would quote the key.
    throw invalid(`${where} does not hold a Massa secret key (S1...)`)
  }
}

function invalid(message: string): ArchiveError {
  return new ArchiveError('CHAIN_KEY_INVALID', message)
}
