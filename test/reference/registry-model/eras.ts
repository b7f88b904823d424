import { computeEraDigest, computeEraText, equalBytes, toHex } from '../../../core/index.ts'
import { ArgsReader } from './args.ts'
import type { Context } from './call.ts'
import { findSigner } from './challenges.ts'
import { demand } from './refusal.ts'
import { ERA_PERIODS, type RegistryState, type Vote } from './state.ts'

/*
 * Anchoring eras by vote (design: Eras).
 */

const MAX_SIGNATURES = 100
const HASH_BYTES = 32
/** After the last period of an era, before it may be anchored. */
const SETTLING_PERIODS = 8n
const LEAST_CHUNKS = 128n
const MOST_CHUNKS = 16n * 128n
const MOST_BYTES = 128n * 2n ** 24n
const PPM = 1_000_000n
const VOTE_KEY_DIGITS = 16

export function readAnchor({ parameter }: { readonly parameter: Uint8Array }) {
  const args = new ArgsReader(parameter)
  const era = args.u64()
  const root = args.bytesField()
  const totalBytes = args.u64()
  const totalChunks = args.u64()
  const placementRoot = args.bytesField()
  const signatures = args.byteStrings(MAX_SIGNATURES)
  args.end()
  demand(root.length === HASH_BYTES && placementRoot.length === HASH_BYTES, 'ARGS_INVALID')
  demand(signatures.length >= 1, 'BATCH_INVALID')
  return { era, root, totalBytes, totalChunks, placementRoot, signatures }
}

export function anchorEra(state: RegistryState, context: Context, claim: ReturnType<typeof readAnchor>): void {
  const { now, era: currentEra, effects, chainId, contract } = context
  const { era, root, totalBytes, totalChunks, placementRoot } = claim
  demand(era >= state.firstEra, 'ERA_TOO_EARLY')
  demand((era + 1n) * ERA_PERIODS + SETTLING_PERIODS <= now, 'ERA_NOT_OVER')
  demand(totalChunks >= LEAST_CHUNKS && totalChunks <= MOST_CHUNKS && totalBytes <= MOST_BYTES, 'ERA_TOTALS')
  demand(!state.eras.has(era), 'ERA_ANCHORED')
  const electorate = state.totalWeight.atStartOf(currentEra)
  demand(electorate > 0n, 'NO_VOTERS')

  const statement = {
    chainId,
    contract,
    era: Number(era),
    eraRoot: root,
    totalBytes,
    totalChunks,
    nextPlacementRoot: placementRoot,
  }
  const text = computeEraText(statement)
  const digest = computeEraDigest(statement)
  const voteName = `${era}_${toHex(digest).slice(0, VOTE_KEY_DIGITS)}`
  const vote = continueVote(state.votes.get(voteName), digest, currentEra)
  let firstIndex: bigint | undefined
  let lastIndex = -1n
  let own = 0n
  for (const signature of claim.signatures) {
    const signer = findSigner(signature, text)
    demand(signer !== undefined, 'SIGNATURE_INVALID')
    const index = BigInt(state.nodes.findIndex(({ address }) => address === signer))
    const node = state.nodes[Number(index)]
    if (!node) continue
    demand(index > lastIndex, 'SIGNATURES_UNSORTED')
    firstIndex ??= index
    lastIndex = index
    own += node.weight.atStartOf(currentEra)
  }
  demand(own > 0n, 'NO_VOTES')
  const goesOn = firstIndex !== undefined && firstIndex > vote.lastIndex
  demand(goesOn || own > vote.tally, 'SIGNATURES_UNSORTED')
  const tally = goesOn ? vote.tally + own : own
  if (tally * PPM < state.config.anchorQuorumPpm * electorate) {
    state.votes.set(voteName, { digest, snapshotEra: currentEra, lastIndex, tally })
    effects.emit('ERA_VOTED', era, toHex(digest).slice(0, VOTE_KEY_DIGITS), tally, lastIndex)
    return
  }
  state.votes.delete(voteName)
  state.eras.set(era, { root, placementRoot, totalBytes, totalChunks, anchoredPeriod: now })
  effects.emit('ERA_ANCHORED', era, toHex(root))
}

/** Weights are of one era: in a later one the count starts over. */
function continueVote(stored: Vote | undefined, digest: Uint8Array, era: bigint): { lastIndex: bigint; tally: bigint } {
  if (stored && stored.snapshotEra === era && equalBytes(stored.digest, digest)) return stored
  return { lastIndex: -1n, tally: 0n }
}
