import { createHash } from 'node:crypto'
import { open, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { ArchiveError } from '../core/errors.ts'
import type { StoreIdentity } from '../core/ports.ts'
import { explainAccess } from './explain-access.ts'
import { syncFolder } from './sync-folder.ts'

export const IDENTITY_FILE = 'store.json'

/** What `store.json` says. */
export interface StoredIdentity {
  readonly identity: StoreIdentity
  readonly schemaVersion: number
}

interface IdentityFile {
  readonly chainId: string
  readonly genesisTimestampMs: string
  readonly chunkSizeBytes: number
  readonly schemaVersion: number
  readonly checksum: string
}

/**
 * What the data directory is for; `undefined` when it has no identity yet.
 *
 * @throws ArchiveError STORE_IDENTITY_DAMAGED; STORE_ACCESS_DENIED when this user may not read it; CONFIG_VALUE_INVALID
 */
export async function readIdentity(dataDir: string): Promise<StoredIdentity | undefined> {
  const text = await readFile(join(dataDir, IDENTITY_FILE), 'utf8').catch((error: NodeJS.ErrnoException) => {
    // A file in the way of the folder: no archive is there either.
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined
    const explained = explainAccess(error, dataDir)
    if (explained !== error) throw explained
    throw new ArchiveError('STORE_IDENTITY_DAMAGED', `${IDENTITY_FILE} cannot be read`, { dataDir }, error)
  })
  return text === undefined ? undefined : parseIdentity(text, dataDir)
}

/** Replaces `store.json` so that after any crash either the old or the new one is there, whole. */
export async function writeIdentity(dataDir: string, stored: StoredIdentity): Promise<void> {
  await replaceFile(dataDir, IDENTITY_FILE, formatIdentity(stored))
}

/** What `writeIdentity` writes, every byte of it. */
export function formatIdentity(stored: StoredIdentity): string {
  const { network, chunkSizeBytes } = stored.identity
  const fields = {
    chainId: String(network.chainId),
    genesisTimestampMs: String(network.genesisTimestampMs),
    chunkSizeBytes,
    schemaVersion: stored.schemaVersion,
  }
  return `${JSON.stringify({ ...fields, checksum: computeChecksum(fields) }, undefined, 2)}\n`
}

/**
 * Takes nothing but what `formatIdentity` gives.
 *
 * @param dataDir - for the message
 * @throws ArchiveError STORE_IDENTITY_DAMAGED
 */
export function parseIdentity(text: string, dataDir: string): StoredIdentity {
  const file = parseFile(text, dataDir)
  const stored = {
    identity: {
      network: { chainId: BigInt(file.chainId), genesisTimestampMs: BigInt(file.genesisTimestampMs) },
      chunkSizeBytes: file.chunkSizeBytes,
    },
    schemaVersion: file.schemaVersion,
  }
  // Space between the fields, which no checksum covers.
  if (formatIdentity(stored) === text) return stored
  throw new ArchiveError('STORE_IDENTITY_DAMAGED', `${IDENTITY_FILE} is not as it was written`, { dataDir })
}

/** @throws ArchiveError STORE_IDENTITY_MISMATCH naming what differs */
export function checkIdentity(found: StoreIdentity, wanted: StoreIdentity): void {
  const differences = [
    ['chain id', found.network.chainId, wanted.network.chainId],
    ['genesis timestamp', found.network.genesisTimestampMs, wanted.network.genesisTimestampMs],
    ['chunk size', found.chunkSizeBytes, wanted.chunkSizeBytes],
  ].filter(([, has, wants]) => has !== wants)
  if (differences.length === 0) return
  const text = differences.map(([name, has, wants]) => `${name} ${has}, not ${wants}`).join('; ')
  throw new ArchiveError('STORE_IDENTITY_MISMATCH', `this archive has ${text}`)
}

/** tmp, fsync, rename, fsync of the folder. */
export async function replaceFile(folder: string, name: string, text: string, mode = 0o644): Promise<void> {
  const path = join(folder, name)
  const temporary = `${path}.tmp`
  try {
    const file = await open(temporary, 'w', mode)
    try {
      await file.writeFile(text)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(temporary, path)
  } catch (error) {
    // Half a file on a full disk would stay until the next time.
    await rm(temporary, { force: true }).catch(() => undefined)
    throw error
  }
  await syncFolder(folder)
}

function parseFile(text: string, dataDir: string): IdentityFile {
  let file: Partial<IdentityFile>
  try {
    file = JSON.parse(text) as Partial<IdentityFile>
  } catch (cause) {
    throw new ArchiveError('STORE_IDENTITY_DAMAGED', `${IDENTITY_FILE} is not JSON`, { dataDir }, cause)
  }
  const { chainId, genesisTimestampMs, chunkSizeBytes, schemaVersion, checksum } = file ?? {}
  const fields = { chainId, genesisTimestampMs, chunkSizeBytes, schemaVersion }
  if (checksum !== computeChecksum(fields)) {
    throw new ArchiveError('STORE_IDENTITY_DAMAGED', `${IDENTITY_FILE} does not match its own checksum`, { dataDir })
  }
  return file as IdentityFile
}

function computeChecksum(fields: object): string {
  return createHash('sha256').update(JSON.stringify(fields)).digest('hex')
}
