import type { BackgroundCpuWork } from '../../archiver/cpu-pool.ts'
import { isBug } from '../../archiver/store-watch.ts'
import { type ChunkStore, concatBytes, equalBytes, type SplitBody } from '../../core/index.ts'
import type { PeerClient } from '../peers/peer-client.ts'
import { splitOwnBody, verifySeals } from '../sealed-body.ts'
import type { DrawnChunk } from './chunk-draw.ts'

export interface SealsEvidenceModules {
  readonly store: Pick<ChunkStore, 'readManifest' | 'readChunk' | 'readSeals'>
  readonly client: Pick<PeerClient, 'fetchSeals'>
  readonly cpu: BackgroundCpuWork
  /** A peer gave forged SEALS. */
  readonly onWrong: (peer: string) => void
}

/**
 * Whether a peer gives SEALS that may stay in place of ours: the same, or others of which every signature verifies. The
 * latter can be told only while all of BODY is here. Leaves say nothing of SEALS: those stand under no root.
 *
 * @param chunk - chunk 0 of a period; true at once where we have no SEALS of it ourselves
 * @throws what the store throws, and bugs
 */
export async function hasShownSeals(
  peer: string,
  chunk: Pick<DrawnChunk, 'period' | 'chunkId'>,
  modules: SealsEvidenceModules,
): Promise<boolean> {
  const { store, cpu, onWrong } = modules
  const own = await store.readSeals(chunk.period)
  if (!own) return true
  const given = await fetchSeals(peer, chunk, own.length, modules)
  if (!given || equalBytes(given, own)) return given !== undefined
  const body = await readBody(chunk, store)
  const verdict = body && (await verifySeals(given, body, cpu))
  if (verdict === 'forged') onWrong(peer)
  return verdict === 'true'
}

/** SEALS of one BODY are all of one length: a peer that shows others must not make us wait for all of their parts. */
async function fetchSeals(
  peer: string,
  { chunkId }: Pick<DrawnChunk, 'chunkId'>,
  wantedBytes: number,
  { client }: SealsEvidenceModules,
): Promise<Uint8Array | undefined> {
  try {
    const answer = await client.fetchSeals(peer, chunkId, wantedBytes)
    return answer.status === 'ok' ? answer.value : undefined
  } catch (error) {
    if (isBug(error)) throw error
    return undefined
  }
}

/** Undefined unless all of it is held. */
async function readBody(
  { period }: Pick<DrawnChunk, 'period'>,
  store: SealsEvidenceModules['store'],
): Promise<SplitBody | undefined> {
  const manifest = await store.readManifest(period)
  const chunks: Uint8Array[] = []
  for (const index of manifest?.chunks.keys() ?? []) {
    const chunk = await store.readChunk(period, index)
    if (!chunk) return undefined
    chunks.push(chunk)
  }
  return manifest && splitOwnBody(concatBytes(...chunks), manifest)
}
