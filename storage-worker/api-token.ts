import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { explainAccess } from './explain-access.ts'
import { replaceFile } from './store-identity.ts'

const FILE_NAME = 'api.token'
const OWNER_ONLY = 0o600
const TOKEN_BYTES = 32

/**
 * What a request has to carry that spends coins or signs: who may read the data directory of the sidecar may do both, other
 * users of the machine reach the same port. Another one at each start.
 *
 * @returns 64 hex digits @throws of the file system
 */
export async function writeApiToken(dataDir: string): Promise<string> {
  const token = randomBytes(TOKEN_BYTES).toString('hex')
  await replaceFile(dataDir, FILE_NAME, `${token}\n`, OWNER_ONLY)
  return token
}

/** Undefined when no sidecar wrote one. @throws ArchiveError STORE_ACCESS_DENIED */
export async function readApiToken(dataDir: string): Promise<string | undefined> {
  try {
    return (await readFile(join(dataDir, FILE_NAME), 'latin1')).trim()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw explainAccess(error, dataDir)
  }
}
