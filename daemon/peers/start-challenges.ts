import { randomBytes } from 'node:crypto'
import type { ChallengesPort } from '../../api/challenges.ts'
import { ArchiveError, fromHex, parseAddress } from '../../core/index.ts'
import { Challenger } from '../../storage-worker/challenge/challenger.ts'
import { Prover } from '../../storage-worker/challenge/prover.ts'
import type { WithheldChunks } from '../../storage-worker/replication/withheld-chunks.ts'
import { listBoundPeers } from './connected-peers.ts'
import type { PeerContext } from './peer-context.ts'

const ID_DIGITS = 64

/**
 * Answers challenges of others, and issues those of the operator.
 *
 * @param withheld - chunks of which nobody is shown anything for the moment
 */
export async function startChallenges(context: PeerContext, withheld: WithheldChunks): Promise<ChallengesPort> {
  const { config, seed, address, node, store, clock, log } = context
  const registry = config.storageRegistryAddress
  const prover = new Prover({ keySeed: seed, node: parseAddress(address), registry }, { store: store.chunks, withheld })
  await node.serve('challenge', prover.service)
  const challenger = new Challenger(
    { registry },
    {
      network: node,
      store: store.chunks,
      history: store.challenges,
      findPeer: (wanted) => listBoundPeers(context).find((bound) => bound.address === wanted)?.peer,
      onOffence: (peer, offence) => node.penalise(peer, offence),
      clock,
      random: randomBytes,
      log,
    },
  )
  return {
    rehearse: async (name, chunk) => challenger.rehearse(findNode(context, name), await findChunk(context, chunk)),
    list: (limit) => store.challenges.list(limit),
    find: (idPrefix) => store.challenges.find(idPrefix),
  }
}

/** @returns a Massa address @throws ArchiveError API_PEER_UNCONNECTED, API_QUERY_INVALID when several are named so */
function findNode(context: PeerContext, name: string): string {
  const named = listBoundPeers(context).filter(({ peer, address }) => address.startsWith(name) || peer.startsWith(name))
  const addresses = [...new Set(named.map(({ address }) => address))]
  if (addresses.length > 1) {
    throw new ArchiveError(
      'API_QUERY_INVALID',
      `${addresses.length} connected nodes begin with ${name}: give more of it`,
    )
  }
  const [address] = addresses
  if (address !== undefined) return address
  const message = `no connected sidecar speaks for ${name}`
  throw new ArchiveError('API_PEER_UNCONNECTED', message, { address: name })
}

/** @returns 32 bytes @throws ArchiveError API_CHUNK_UNKNOWN, API_QUERY_INVALID when several begin so */
async function findChunk({ store }: PeerContext, idHex: string): Promise<Uint8Array> {
  if (idHex.length === ID_DIGITS) return fromHex(idHex)
  const [place, other] = await store.chunks.findChunks(idHex, 2)
  if (other) throw new ArchiveError('API_QUERY_INVALID', `several chunks begin with ${idHex}: give more digits`)
  if (!place) throw new ArchiveError('API_CHUNK_UNKNOWN', `no chunk of this archive begins with ${idHex}`)
  return place.chunkId
}
