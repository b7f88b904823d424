import { DrawAudits } from '../../storage-worker/challenge/audit-draws.ts'
import { DrawSearch } from '../../storage-worker/challenge/draw-search.ts'
import { openKnownSource } from '../../storage-worker/challenge/known-source.ts'
import { listBoundPeers } from './connected-peers.ts'
import type { PeerContext } from './peer-context.ts'

/** Recomputes draws of all challengers; needs no wallet. */
export function openDrawAudits(context: PeerContext): DrawAudits {
  const { config, store, pastPlacements: placements, chain, anchors, client } = context
  const registry = config.storageRegistryAddress
  const readFirstEra = async () => (chain ? Number((await chain.sender.client.readState()).firstEra) : 0)
  const known = { store: store.chunks, readings: store.placements, placements, anchors, readFirstEra }
  return new DrawAudits(
    { network: store.chunks.identity.network, registry, frequencyPeriods: config.challengeFrequencyPeriods },
    {
      store: store.chunks,
      openSearch: () =>
        new DrawSearch({ signatures: store.drawSignatures, client, listPeers: () => listBoundPeers(context) }),
      openSource: (period) => openKnownSource({ registry, period }, known),
      readAuditChallenges: async () =>
        chain && (await chain.sender.client.read('getConfig', {})).maxOpenChallengesPerNode,
    },
  )
}
