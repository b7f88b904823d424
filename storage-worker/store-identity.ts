import { createHash } from 'node:crypto'
import { open, readFile, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { ArchiveError, type StoreIdentity } from '../core/index.ts'

const FILE_NAME = 'store.json'

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
 * @throws ArchiveError STORE_IDENTITY_DAMAGED
 */
export async function readIdentity(dataDir: string): Promise<StoredIdentity | undefined> {
  const text = await readFile(join(dataDir, FILE_NAME), 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw new ArchiveError('STORE_IDENTITY_DAMAGED', `${FILE_NAME} cannot be read`, { dataDir }, error)
  })
  if (text === undefined) return undefined
  const file = parseFile(text, dataDir)
  return {
    identity: {
      network: { chainId: BigInt(file.chainId), genesisTimestampMs: BigInt(file.genesisTimestampMs) },
      chunkSizeBytes: file.chunkSizeBytes,
    },
    schemaVersion: file.schemaVersion,
  }
}

/** Replaces `store.json` so that after any crash either the old or the new one is there, whole. */
export async function writeIdentity(dataDir: string, stored: StoredIdentity): Promise<void> {
  const { network, chunkSizeBytes } = stored.identity
  const fields = {
    chainId: String(network.chainId),
    genesisTimestampMs: String(network.genesisTimestampMs),
    chunkSizeBytes,
    schemaVersion: stored.schemaVersion,
  }
  const text = `${JSON.stringify({ ...fields, checksum: computeChecksum(fields) }, undefined, 2)}\n`
  await replaceFile(dataDir, FILE_NAME, text)
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
  const file = await open(`${path}.tmp`, 'w', mode)
  try {
    await file.writeFile(text)
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(`${path}.tmp`, path)
  // Windows has no handles on folders; its renames are journalled.
  if (process.platform === 'win32') return
  const directory = await open(folder, 'r')
  try {
    await directory.sync()
  } finally {
    await directory.close()
  }
}

function parseFile(text: string, dataDir: string): IdentityFile {
  let file: Partial<IdentityFile>
  try {
    file = JSON.parse(text) as Partial<IdentityFile>
  } catch (cause) {
    throw new ArchiveError('STORE_IDENTITY_DAMAGED', `${FILE_NAME} is not JSON`, { dataDir }, cause)
  }
  const { chainId, genesisTimestampMs, chunkSizeBytes, schemaVersion, checksum } = file ?? {}
  const fields = { chainId, genesisTimestampMs, chunkSizeBytes, schemaVersion }
  if (checksum !== computeChecksum(fields)) {
    throw new ArchiveError('STORE_IDENTITY_DAMAGED', `${FILE_NAME} does not match its own checksum`, { dataDir })
  }
  return file as IdentityFile
}

function computeChecksum(fields: object): string {
  return createHash('sha256').update(JSON.stringify(fields)).digest('hex')
}
