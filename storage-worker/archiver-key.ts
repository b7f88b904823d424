import { randomBytes } from 'node:crypto'
import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { ArchiveError, concatBytes, formatSecretKey, parseSecretKey } from '../core/index.ts'
import { replaceFile } from './store-identity.ts'

const FILE_NAME = 'archiver.key'
const OWNER_ONLY = 0o600

/**
 * The key that signs execution results, made at the first start and kept in the data directory.
 *
 * It holds no coins: it only lets readers tell which archiver attested what.
 *
 * @returns the 32-byte secret
 * @throws ArchiveError STORE_KEY_INVALID when the file is no secret key or others may read it
 */
export async function readOrCreateArchiverKey(dataDir: string): Promise<Uint8Array> {
  const path = join(dataDir, FILE_NAME)
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
  if (text === undefined) {
    const seed = randomBytes(32)
    await replaceFile(dataDir, FILE_NAME, `${formatSecretKey(concatBytes(Uint8Array.of(0), seed))}\n`, OWNER_ONLY)
    return seed
  }
  const { mode } = await stat(path)
  if ((mode & 0o077) !== 0)
    throw new ArchiveError('STORE_KEY_INVALID', `${path} may be read by others: chmod 600 it`, { path })
  try {
    return parseSecretKey(text.trim()).subarray(1)
  } catch (cause) {
    throw new ArchiveError('STORE_KEY_INVALID', `${path} holds no Massa secret key`, { path }, cause)
  }
}
