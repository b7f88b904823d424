import {
  type ChunkStore,
  computeEraRoot,
  computePeriodRoot,
  ERA_PERIODS,
  type EraTotals,
  equalBytes,
  type Manifest,
  type Period,
  THREAD_COUNT,
} from '../../core/index.ts'
import type { PeerClient } from '../peers/peer-client.ts'

/** What somebody says that an era is. */
export interface SaidTotals extends Pick<EraTotals, 'era' | 'totalBytes' | 'totalChunks'> {
  /** 32 bytes */
  readonly root: Uint8Array
}

export interface DifferingPeriods {
  /** Ascending; one at least. */
  readonly periods: readonly Period[]
  /** What is other in the first of them. */
  readonly reason: string
}

/**
 * In which periods of an era a peer has something else than this archive, and what: by its period roots, which have to
 * make the root of the era that is in question, and by its manifest of the first one.
 *
 * @returns undefined when the peer does not tell, or tells of another era root
 * @throws ArchiveError PROTOCOL_*; of the store
 */
export async function compareEra(
  said: SaidTotals,
  peer: string,
  {
    client,
    store,
  }: {
    readonly client: Pick<PeerClient, 'fetchRoots' | 'fetchManifest' | 'fetchManifests'>
    readonly store: Pick<ChunkStore, 'identity' | 'readManifest'>
  },
): Promise<DifferingPeriods | undefined> {
  const { network } = store.identity
  const firstPeriod = said.era * ERA_PERIODS
  const roots = await client.fetchRoots(peer, firstPeriod, ERA_PERIODS)
  if (roots.status !== 'ok') return undefined
  if (!equalBytes(computeEraRoot({ ...said, network }, roots.value), said.root)) return undefined
  const own: Manifest[] = []
  for (let period = firstPeriod; period < firstPeriod + ERA_PERIODS; period++) {
    const manifest = await store.readManifest(period)
    if (!manifest) return undefined
    own.push(manifest)
  }
  const differing = own.filter((manifest, i) => {
    return !equalBytes(computePeriodRoot(manifest), roots.value[i] ?? new Uint8Array())
  })
  const [first] = differing
  if (!first) return await compareLengths(own, peer, client)
  const root = roots.value[first.period - firstPeriod] ?? new Uint8Array()
  const theirs = await client.fetchManifest(peer, first.period, root, network)
  const reason = theirs.status === 'ok' ? describe(first, theirs.value) : 'the other side does not show its manifest'
  return { periods: differing.map(({ period }) => period), reason }
}

/** Roots bind how many chunks there are, but not how long the last one of a period is: the totals of the era do. */
async function compareLengths(
  own: readonly Manifest[],
  peer: string,
  client: Pick<PeerClient, 'fetchManifests'>,
): Promise<DifferingPeriods | undefined> {
  const [first] = own
  if (!first) return undefined
  const maxChunks = Math.max(...own.map(({ chunks }) => chunks.length))
  const range = { firstPeriod: first.period, periodCount: own.length, maxChunks }
  const theirs = await client.fetchManifests(peer, range, first.network)
  if (theirs.status !== 'ok') return undefined
  const differing = own.filter(({ chunks }, i) => {
    const other = theirs.value[i]
    return other && other.chunks.at(-1)?.byteLength !== chunks.at(-1)?.byteLength
  })
  if (differing.length === 0) return undefined
  return { periods: differing.map(({ period }) => period), reason: 'the last chunk is of another length' }
}

function describe(own: Manifest, theirs: Manifest): string {
  const threadsOf = (bits: number) =>
    Array.from({ length: THREAD_COUNT }, (_, thread) => thread).filter((thread) => (bits >>> thread) & 1)
  const here = threadsOf(own.bitmap & ~theirs.bitmap)
  const there = threadsOf(theirs.bitmap & ~own.bitmap)
  const parts = [
    ...(here.length > 0 ? [`blocks only here in threads ${here.join(', ')}`] : []),
    ...(there.length > 0 ? [`blocks only there in threads ${there.join(', ')}`] : []),
  ]
  return parts.length > 0 ? parts.join('; ') : 'other bytes in the same slots'
}
