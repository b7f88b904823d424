import { isArchiveError, type Manifest, parseManifest, type StoreIdentity } from '../core/index.ts'
import type { GuardedLevel } from './guarded-level.ts'
import { decodeBodyKey, encodeIndexKey, keyspaceRange, MANIFEST } from './keyspace.ts'
import { SCHEMA_VERSION } from './migrations.ts'
import { openValue, sealValue } from './sealed-value.ts'
import { formatIdentity, parseIdentity, type StoredIdentity, writeIdentity } from './store-identity.ts'

/* `store.json` is one small file that nothing opens without: its words stand in the index as well. */

interface Databases {
  readonly bodies: GuardedLevel
  readonly index: GuardedLevel
}

const COPY_KEY = encodeIndexKey('journal', new TextEncoder().encode('identity'))

/** `undefined` when there is none, or none that is whole. */
export async function readIdentityCopy(index: GuardedLevel): Promise<StoredIdentity | undefined> {
  const sealed = await index.get(COPY_KEY)
  const text = sealed && openValue(sealed)
  return text && parseIdentity(new TextDecoder().decode(text), index.location ?? index.name)
}

export async function writeIdentityCopy(index: GuardedLevel, stored: StoredIdentity): Promise<void> {
  const value = sealValue(new TextEncoder().encode(formatIdentity(stored)))
  await index.write([{ type: 'put', key: COPY_KEY, value }], { sync: true })
}

/** Adds the copy where it lacks or says something else; a damaged one is left for `verify` to name. */
export async function addIdentityCopy(index: GuardedLevel, stored: StoredIdentity): Promise<void> {
  const copy = await readIdentityCopy(index)
  if (copy ? formatIdentity(copy) === formatIdentity(stored) : (await index.get(COPY_KEY)) !== undefined) return
  await writeIdentityCopy(index, stored)
}

/**
 * What an archive is for, from what it holds: the copy in the index, or else the manifests.
 *
 * @param chunkSizeBytes - for an archive without a copy of which no period has two chunks
 * @returns undefined when nothing says it
 */
export async function recoverIdentity(
  databases: Databases,
  chunkSizeBytes: number | undefined,
): Promise<StoredIdentity | undefined> {
  const copy = await readIdentityCopy(databases.index)
  if (copy) return copy
  let network: StoreIdentity['network'] | undefined
  for await (const manifest of readManifests(databases.bodies)) {
    network = manifest.network
    const [first, second] = manifest.chunks
    // All chunks of a period but the last have the full size.
    if (first && second) {
      return { identity: { network, chunkSizeBytes: first.byteLength }, schemaVersion: SCHEMA_VERSION }
    }
  }
  if (!network || chunkSizeBytes === undefined) return undefined
  return { identity: { network, chunkSizeBytes }, schemaVersion: SCHEMA_VERSION }
}

/** Nothing of any network: no period, and in the index nothing but what the store itself must remember. */
export async function isEmptyArchive({ bodies, index }: Databases): Promise<boolean> {
  if ((await bodies.firstKey({})) !== undefined) return false
  const { gte, lt } = keyspaceRange('journal')
  return (await index.firstKey({ lt: gte })) === undefined && (await index.firstKey({ gte: lt })) === undefined
}

/** Makes an empty archive one for `identity`. A crash in between leaves an empty archive that either identity may claim. */
export async function claimArchive(index: GuardedLevel, dataDir: string, identity: StoreIdentity): Promise<void> {
  const claimed = { identity, schemaVersion: SCHEMA_VERSION }
  await writeIdentityCopy(index, claimed)
  await writeIdentity(dataDir, claimed)
}

async function* readManifests(bodies: GuardedLevel): AsyncGenerator<Manifest> {
  for await (const key of bodies.keys({ reverse: true })) {
    if (decodeBodyKey(key)?.n !== MANIFEST) continue
    try {
      const sealed = await bodies.get(key)
      const value = sealed && openValue(sealed)
      if (value) yield parseManifest(value)
    } catch (error) {
      if (!isArchiveError(error)) throw error
    }
  }
}
