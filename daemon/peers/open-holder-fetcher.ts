import { randomInt } from 'node:crypto'
import { ERA_PERIODS, isArchiveError } from '../../core/index.ts'
import { HolderFetcher, type HolderSources } from '../../storage-worker/history/holder-fetcher.ts'
import type { HolderClaims } from '../../storage-worker/replication/holder-claims.ts'
import { READING_SOURCES } from '../../telemetry/index.ts'
import { listPeerArchives } from './connected-peers.ts'
import type { PeerContext } from './peer-context.ts'
import type { NodePlaces } from './start-redialer.ts'

/** Of those that are to hold a chunk: there are three to five, and some stand in. */
const MAX_DIALS = 3

/** Reads for who asks this sidecar what its disk does not hold. */
export function openHolderFetcher(
  context: PeerContext,
  modules: { readonly claims: HolderClaims; readonly targets: NodePlaces },
): HolderFetcher {
  const { node, client, cpu, clock, log, metrics, undo } = context
  // From 0 on, so that the first one is an increase.
  for (const from of READING_SOURCES) metrics.readChunks.add(0, { from })
  const fetcher = new HolderFetcher({
    client,
    cpu,
    clock,
    sources: createSources(context, modules),
    random: (maxExclusive) => randomInt(maxExclusive),
    onWrong: (peer) => node.penalise(peer, 'reject'),
    onRead: (from) => metrics.readChunks.add(1, { from }),
    onFailure: (peer, error) => log.debug({ peerId: peer, err: error }, 'peer did not give a chunk'),
  })
  undo.push(() => fetcher.stop())
  return fetcher
}

function createSources(
  context: PeerContext,
  { claims, targets }: { readonly claims: HolderClaims; readonly targets: NodePlaces },
): HolderSources {
  const { address: own, node, placement } = context
  /** @returns PeerId, unless nobody answers there */
  const dial = async (multiaddr: string): Promise<string | undefined> => {
    try {
      return await node.dial(multiaddr)
    } catch (error) {
      if (!isArchiveError(error)) throw error
      return undefined
    }
  }
  const listAssigned = (hashSlot: number): readonly string[] =>
    (placement.inForce?.addressesOfSlot(hashSlot) ?? []).filter((address) => address !== own)
  return {
    listHolders: (hashSlot, period) => {
      const claimants =
        period === undefined
          ? []
          : claims.listClaimants(hashSlot, Math.floor(period / ERA_PERIODS), { first: period, last: period })
      const addresses = new Set([...claimants, ...listAssigned(hashSlot)])
      return [...addresses].flatMap((address) => claims.peerOf(address) ?? [])
    },
    withDialled: async (hashSlot, use) => {
      const elsewhere = listAssigned(hashSlot).filter((address) => claims.peerOf(address) === undefined)
      const multiaddrs = elsewhere.flatMap((address) => targets.addressOf(address) ?? []).slice(0, MAX_DIALS)
      const before = new Set(node.peers)
      const dialled = (await Promise.all(multiaddrs.map(dial))).flatMap((peer) => peer ?? [])
      try {
        return await use(dialled)
      } finally {
        if (targets.isCrowded()) {
          await Promise.all(dialled.filter((peer) => !before.has(peer)).map((peer) => node.hangUp(peer)))
        }
      }
    },
    listPeers: (period) =>
      period === undefined
        ? node.peers
        : listPeerArchives(context)
            .filter(({ firstPeriod, endPeriod }) => firstPeriod <= period && period < endPeriod)
            .map(({ peer }) => peer),
  }
}
