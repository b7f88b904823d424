import { randomBytes } from 'node:crypto'
import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { ArchiveError, concatBytes, formatSecretKey, isArchiveError, parseSecretKey } from '../core/index.ts'
import { replaceFile } from './store-identity.ts'

/** `archiver.key` signs execution results: readers tell by it which archiver attested what. `peer.key` is the PeerId's. */
export const KEY_FILES = ['archiver.key', 'peer.key'] as const
export type KeyFile = (typeof KEY_FILES)[number]

const OWNER_ONLY = 0o600
const BASE58 = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz'
/** A key takes 51 or so; a longer file is something else. */
const MAX_KEY_CHARACTERS = 64

/**
 * A key of the data directory, made when it is first needed. It holds no coins.
 *
 * @returns the 32-byte secret
 * @throws ArchiveError STORE_KEY_INVALID when the file is no secret key or others may read it
 */
export async function readOrCreateKey(dataDir: string, file: KeyFile): Promise<Uint8Array> {
  const known = await readKey(dataDir, file)
  if (known) return known
  const seed = randomBytes(32)
  await replaceFile(dataDir, file, formatKey(seed), OWNER_ONLY)
  return seed
}

/**
 * The key that is there; `undefined` when none was made yet.
 *
 * The text of a Massa secret key ends in a checksum of 4 bytes, and the file holds nothing but it and a line end.
 *
 * @throws ArchiveError STORE_KEY_INVALID
 */
export async function readKey(dataDir: string, file: KeyFile): Promise<Uint8Array | undefined> {
  const path = join(dataDir, file)
  const text = await readFile(path, 'latin1').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
  if (text === undefined) return undefined
  const { mode } = await stat(path)
  if ((mode & 0o077) !== 0)
    throw new ArchiveError('STORE_KEY_INVALID', `${path} may be read by others: chmod 600 it`, {
      path,
      isReadByOthers: true,
    })
  const seed = parseKey(text)
  if (seed) return seed
  throw new ArchiveError('STORE_KEY_INVALID', `${path} is not the Massa secret key that was written`, { path })
}

/** Mends a file of which one byte is damaged: only one key has the checksum. @returns whether it is whole now */
export async function repairKey(dataDir: string, file: KeyFile): Promise<boolean> {
  const text = await readFile(join(dataDir, file), 'latin1').catch(() => undefined)
  const seed = text === undefined ? undefined : findKey(text)
  if (!seed) return false
  await replaceFile(dataDir, file, formatKey(seed), OWNER_ONLY)
  return true
}

function findKey(text: string): Uint8Array | undefined {
  for (let at = 0; at < Math.min(text.length, MAX_KEY_CHARACTERS); at++) {
    for (const character of `S\n${BASE58}`) {
      const seed = parseKey(text.slice(0, at) + character + text.slice(at + 1))
      if (seed) return seed
    }
  }
  return undefined
}

function formatKey(seed: Uint8Array): string {
  return `${formatSecretKey(concatBytes(Uint8Array.of(0), seed))}\n`
}

function parseKey(text: string): Uint8Array | undefined {
  try {
    const seed = parseSecretKey(text.trim()).subarray(1)
    const whole = formatKey(seed)
    // A key that was put there by hand may stand without a line end.
    return text === whole || `${text}\n` === whole ? seed : undefined
  } catch (error) {
    if (isArchiveError(error)) return undefined
    throw error
  }
}
