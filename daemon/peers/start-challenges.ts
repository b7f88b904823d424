import { randomBytes } from 'node:crypto'
import type { ChallengesPort } from '../../api/challenges.ts'
import { ArchiveError, computeHashSlot, ERA_PERIODS, fromHex, parseAddress, toHex } from '../../core/index.ts'
import { BY_HAND, Challenger, ID_BYTES } from '../../storage-worker/challenge/challenger.ts'
import { DiskProofs } from '../../storage-worker/challenge/disk-proofs.ts'
import { Prover } from '../../storage-worker/challenge/prover.ts'
import type { HolderClaims } from '../../storage-worker/replication/holder-claims.ts'
import type { WithheldChunks } from '../../storage-worker/replication/withheld-chunks.ts'
import { type ChainChallenges, startChainChallenges } from '../chain/start-chain-challenges.ts'
import { listBoundPeers } from './connected-peers.ts'
import { findNode } from './find-node.ts'
import { openDrawAudits } from './open-draw-audits.ts'
import type { PeerContext } from './peer-context.ts'

const ID_DIGITS = 64
/** A challenge by hand waits so long for an audit of the node that is open. */
const PATIENCE_MS = 120_000

/**
 * Answers challenges of others, and issues those of the operator.
 *
 * @param withheld - chunks of which nobody is shown anything for the moment
 * @param claims - what nodes say themselves that they hold
 */
export async function startChallenges(
  context: PeerContext,
  withheld: WithheldChunks,
  claims: Pick<HolderClaims, 'listClaimants' | 'askNow'>,
): Promise<{ readonly port: ChallengesPort; readonly onChain: ChainChallenges | undefined }> {
  const { config, seed, address, node, store, chain, clock, log } = context
  const registry = config.storageRegistryAddress
  const proofs = new DiskProofs(seed, { store: store.chunks, withheld })
  const onChain = chain && startChainChallenges(context, chain, proofs)
  const prover = new Prover(
    { chainId: store.chunks.identity.network.chainId, node: parseAddress(address), registry },
    {
      proofs,
      findOpen: onChain && ((challengeId) => onChain.prover.findOpen(challengeId)),
      onDrawn: (drawn) => {
        store.drawSignatures
          .put(drawn)
          .catch((error: unknown) => log.warn({ err: error }, 'signature of a draw is not kept'))
      },
    },
  )
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
  const draws = openDrawAudits(context)
  const port: ChallengesPort = {
    rehearse: async (name, chunk) =>
      challenger.rehearse(needNode(context, name, false), await findChunk(context, chunk)),
    issue: async (name, chunk, isUnclaimed) => {
      if (!onChain) {
        throw new ArchiveError('API_CHAIN_OFF', 'this sidecar sends nothing to a registry: its settings name none')
      }
      const wanted = needNode(context, name, true)
      const chunkId = await findChunk(context, chunk)
      const evidence = await onChain.evidence.gatherIfRequired(wanted, chunkId)
      // With evidence a node answers for what it was given, whatever it says itself.
      if (!evidence && !isUnclaimed) await checkClaimed(context, claims, wanted, chunkId)
      const challengeId = BY_HAND + toHex(randomBytes(ID_BYTES))
      const target = { challengeId, chunkId, nonce: randomBytes(8).readBigUInt64BE(), ...(evidence && { evidence }) }
      const [entry] = await onChain.challenger.issueWhenFree(wanted, [target], PATIENCE_MS)
      if (!entry) throw new Error('an audit of one challenge had no end')
      return entry
    },
    list: (limit) => store.challenges.list(limit),
    find: (idPrefix) => store.challenges.find(idPrefix),
    auditDraws: (period) => draws.audit(period),
  }
  return { port, onChain }
}

/**
 * @param knowsRegistered - a node that is registered need not be connected
 * @returns a Massa address
 * @throws ArchiveError API_PEER_UNCONNECTED, API_NAME_AMBIGUOUS when several are called so
 */
function needNode(context: PeerContext, name: string, knowsRegistered: boolean): string {
  const registered = context.registered.list()
  const operators = new Map(registered.map(({ address, operator }) => [address, operator]))
  const bound = listBoundPeers(context).map(({ peer, address }) => {
    return { peer, address, operator: operators.get(address) ?? '' }
  })
  const address = findNode(knowsRegistered ? [...bound, ...registered] : bound, name)
  if (address !== undefined) return address
  const who = knowsRegistered
    ? 'no registered node, and nobody who is connected, is called'
    : 'no connected sidecar speaks for'
  throw new ArchiveError('API_PEER_UNCONNECTED', `${who} ${name}`, { address: name })
}

/** A node that fails loses stake: only for what it says itself that it holds. @throws ArchiveError API_CHUNK_UNCLAIMED */
async function checkClaimed(
  { store }: PeerContext,
  claims: Pick<HolderClaims, 'listClaimants' | 'askNow'>,
  node: string,
  chunkId: Uint8Array,
): Promise<void> {
  const idHex = toHex(chunkId)
  const [place] = await store.chunks.findChunks(idHex, 1)
  if (place) {
    const { period } = place
    const era = Math.floor(period / ERA_PERIODS)
    const isClaimed = () =>
      claims.listClaimants(computeHashSlot(chunkId), era, { first: period, last: period }).includes(node)
    if (isClaimed()) return
    // What it said last may be older than the chunk.
    await claims.askNow(node)
    if (isClaimed()) return
  }
  throw new ArchiveError('API_CHUNK_UNCLAIMED', `${node} has not said that it holds chunk ${idHex.slice(0, 12)}`)
}

/** @returns 32 bytes @throws ArchiveError API_CHUNK_UNKNOWN, API_NAME_AMBIGUOUS when several begin so */
async function findChunk({ store }: PeerContext, idHex: string): Promise<Uint8Array> {
  if (idHex.length === ID_DIGITS) return fromHex(idHex)
  const [place, other] = await store.chunks.findChunks(idHex, 2)
  if (other) throw new ArchiveError('API_NAME_AMBIGUOUS', `several chunks begin with ${idHex}: give more digits`)
  if (!place) throw new ArchiveError('API_CHUNK_UNKNOWN', `no chunk of this archive begins with ${idHex}`)
  return place.chunkId
}
