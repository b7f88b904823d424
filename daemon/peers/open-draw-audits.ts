import { ERA_PERIODS, type Period } from '../../core/index.ts'
import { DrawAudits, type KnownSource } from '../../storage-worker/challenge/audit-draws.ts'
import { openAnchoredSource } from '../../storage-worker/challenge/draw-anchored-audit.ts'
import { listDrawNodes, openClaimedSource } from '../../storage-worker/challenge/draw-audit.ts'
import { DrawSearch } from '../../storage-worker/challenge/draw-search.ts'
import { DRAW_LAG_PERIODS } from '../../storage-worker/challenge/draw-source.ts'
import { PastPlacements } from '../../storage-worker/placement/past-placements.ts'
import { listBoundPeers } from './connected-peers.ts'
import type { PeerContext } from './peer-context.ts'

/** Recomputes draws of all challengers; needs no wallet. */
export function openDrawAudits(context: PeerContext): DrawAudits {
  const { config, store, chain, client } = context
  const registry = config.storageRegistryAddress
  const { network } = store.chunks.identity
  return new DrawAudits(
    { network, registry, frequencyPeriods: config.challengeFrequencyPeriods },
    {
      store: store.chunks,
      openSearch: () =>
        new DrawSearch({ signatures: store.drawSignatures, client, listPeers: () => listBoundPeers(context) }),
      openSource: (period) => openSource(context, period),
      readAuditChallenges: async () =>
        chain && (await chain.sender.client.read('getConfig', {})).maxOpenChallengesPerNode,
    },
  )
}

/** Of the settings and the placement that were in force. @throws ArchiveError CHAIN_*; of the store */
async function openSource({ config, store, chain, anchors }: PeerContext, period: Period): Promise<KnownSource> {
  const registry = config.storageRegistryAddress
  const era = Math.floor((period - DRAW_LAG_PERIODS) / ERA_PERIODS)
  const placements = new PastPlacements(registry, store.placements)
  const [reading, next] = [await store.placements.find(registry, era), await store.placements.find(registry, era + 1)]
  const unread = `the placement of era ${era} was not read here, or is not kept any more`
  if (!reading) return { isAnchored: undefined, source: unread }
  const { requireAnchors } = reading.snapshot
  const { lagEras } = reading
  if (next && (next.snapshot.requireAnchors !== requireAnchors || next.lagEras !== lagEras)) {
    return { isAnchored: undefined, source: `the settings that a draw depends on changed in era ${era}` }
  }
  if (requireAnchors) {
    if (lagEras === undefined) return { isAnchored: true, source: unread }
    const readFirstEra = async () => (chain ? Number((await chain.sender.client.readState()).firstEra) : 0)
    const source = await openAnchoredSource(
      { period, lagEras },
      { store: store.chunks, readFirstEra, anchors, placements },
    )
    if (source === 'untold') return { isAnchored: true, source: 'nobody tells at the moment which eras are anchored' }
    if (source === 'unread')
      return { isAnchored: true, source: 'the anchored placement that counts was not read here, or is not kept' }
    // Nobody may be drawn.
    return { isAnchored: true, source: source === 'unanchored' ? { nodes: [], findChunk: async () => 'none' } : source }
  }
  const placement = await placements.find(era)
  const source = await openClaimedSource(period, {
    store: store.chunks,
    listNodes: (of) => listDrawNodes(of, placements),
    // Who has fetched all that it is to hold says so.
    claims: (node, hashSlot) => placement?.addressesIn(hashSlot).includes(node) ?? false,
  })
  return { isAnchored: false, source: source ?? unread }
}
