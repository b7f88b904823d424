import { computeEraDigest, computeEraText, equalBytes, toHex } from '../../../core/index.ts'
import { ArgsReader } from './args.ts'
import type { Context } from './call.ts'
import { findSigner } from './challenges.ts'
import { demand } from './refusal.ts'
import { ERA_PERIODS, type RegistryState, type Vote, type VotePage } from './state.ts'

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
const PAGE_VOTERS = 256

interface Voter {
  readonly index: number
  /** At the start of the era in which is voted */
  readonly stake: bigint
}

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
  const electorate = state.totalVotes.atStartOf(currentEra)
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
  const voters: Voter[] = []
  let lastIndex = -1
  for (const signature of claim.signatures) {
    const signer = findSigner(signature, text)
    demand(signer !== undefined, 'SIGNATURE_INVALID')
    const index = state.nodes.findIndex(({ address }) => address === signer)
    const node = state.nodes[index]
    if (!node) continue
    demand(index > lastIndex, 'SIGNATURES_UNSORTED')
    lastIndex = index
    // The mark of a place may be that of the node that was there before.
    const stake = node.movedEra === currentEra ? 0n : node.vote.atStartOf(currentEra)
    if (stake > 0n) voters.push({ index, stake })
  }
  demand(voters.length > 0, 'NO_VOTES')
  const isQuorum = (stake: bigint) => stake * PPM >= state.config.anchorQuorumPpm * electorate
  if (!isQuorum(sumStakes(voters))) {
    const pages = readPages(state, voteName, currentEra)
    const fresh = voters.filter(({ index }) => !pages(index).counted.has(index % PAGE_VOTERS))
    demand(fresh.length > 0, 'VOTES_COUNTED')
    const tally = readTally(state.votes.get(voteName), digest, currentEra) + sumStakes(fresh)
    if (!isQuorum(tally)) {
      for (const { index } of fresh) {
        const { snapshotEra, counted } = pages(index)
        const page = { snapshotEra, counted: new Set([...counted, index % PAGE_VOTERS]) }
        state.votePages.set(namePage(voteName, index), page)
      }
      state.votes.set(voteName, { digest, snapshotEra: currentEra, tally })
      effects.emit('ERA_VOTED', era, toHex(digest).slice(0, VOTE_KEY_DIGITS), tally)
      return
    }
  }
  state.votes.delete(voteName)
  state.eras.set(era, { root, placementRoot, totalBytes, totalChunks, anchoredPeriod: now })
  effects.emit('ERA_ANCHORED', era, toHex(root))
}

function sumStakes(voters: readonly Voter[]): bigint {
  return voters.reduce((sum, { stake }) => sum + stake, 0n)
}

/** Stakes are of one era: in a later one the count starts over. */
function readTally(stored: Vote | undefined, digest: Uint8Array, era: bigint): bigint {
  return stored && stored.snapshotEra === era && equalBytes(stored.digest, digest) ? stored.tally : 0n
}

function namePage(voteName: string, index: number): string {
  return `${voteName}_${Math.floor(index / PAGE_VOTERS)}`
}

/** Who was counted with the stakes of this era, by place. */
function readPages(state: RegistryState, voteName: string, era: bigint): (index: number) => VotePage {
  return (index) => {
    const page = state.votePages.get(namePage(voteName, index))
    return page?.snapshotEra === era ? page : { snapshotEra: era, counted: new Set() }
  }
}
