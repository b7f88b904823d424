import { type ArchivedPeriod, type ChunkStore, type Period, toHex } from '../../core/index.ts'
import { AnchoredPeriodSource } from './anchored-period.ts'
import { type AnchoredSessionModules, cutAs } from './anchored-session.ts'

/** Of a manifest in memory. */
const BYTES_PER_CHUNK = 36

/**
 * A period from other sidecars as it was archived here: its root is that of its summary, and binds all of it, so nobody need
 * be believed.
 *
 * @returns undefined when nobody gives all of it, or it is not known here
 */
export async function refetchFromPeers(
  period: Period,
  modules: Pick<AnchoredSessionModules, 'client' | 'asked' | 'cpu'> & {
    readonly store: Pick<ChunkStore, 'identity' | 'readSummary'>
  },
  signal: AbortSignal,
): Promise<ArchivedPeriod | undefined> {
  const { store, client, asked } = modules
  const { identity } = store
  const root = (await store.readSummary(period))?.root
  if (!root) return undefined
  const answer = await asked.ask(
    {
      name: `manifest ${toHex(root)}`,
      period,
      send: (peer) => client.fetchManifest(peer, period, root, identity.network),
      sizeOf: ({ chunks }) => BYTES_PER_CHUNK * chunks.length,
    },
    signal,
  )
  if (!answer) return undefined
  const source = new AnchoredPeriodSource({ identity, isWanted: () => true, mayLack: false }, modules)
  const fetched = await source.fetch({ manifest: cutAs(identity, answer.value), isAddedUp: false }, signal)
  return typeof fetched === 'object' && 'whole' in fetched ? fetched.whole : undefined
}
