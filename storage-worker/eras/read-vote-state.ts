import {
  ArchiveError,
  computeQuorum,
  computeVote,
  computeVoteKey,
  computeVotePage,
  computeVotePageKey,
  equalBytes,
  PLACEMENT_KEYS,
  readAllVotes,
  readVotePage,
  readVoteRecord,
} from '../../core/index.ts'
import type { RegistryClient } from '../registry-client.ts'
import type { Voter, VoteState } from './plan-ballot.ts'

/**
 * Where the vote on a statement stands in the candidate state, and what the signatures that are here count.
 *
 * @param options.era - of the statement
 * @param options.digest - of the statement, 32 bytes
 * @param options.snapshotEra - in force: the votes at its start count
 * @param options.addresses - Massa addresses whose signatures are here
 * @throws ArchiveError CHAIN_*, CORE_BYTES_INVALID for records that this release does not know
 */
export async function readVoteState(
  client: RegistryClient,
  options: {
    readonly era: number
    readonly digest: Uint8Array
    readonly snapshotEra: number
    readonly addresses: ReadonlySet<string>
  },
): Promise<{ readonly voters: readonly Voter[]; readonly state: VoteState }> {
  const { era, digest, snapshotEra, addresses } = options
  const { anchorQuorumPpm } = await client.read('getConfig', {})
  const nodes = await client.readAllNodes()
  const voters = nodes.flatMap((node) =>
    addresses.has(node.address)
      ? [{ address: node.address, index: node.index, vote: computeVote(node, snapshotEra) }]
      : [],
  )
  const pages = [...new Set(voters.map(({ index }) => computeVotePage(index)))]
  const keys = [
    PLACEMENT_KEYS.state,
    computeVoteKey(era, digest),
    ...pages.map((page) => computeVotePageKey(era, digest, page)),
  ]
  const [stateRecord, voteRecord, ...pageRecords] = await client.chain.readDatastore(client.address, keys)
  if (!stateRecord) throw new ArchiveError('CHAIN_ANSWER_INVALID', `${client.address} has no state of a registry`)
  const quorum = computeQuorum(readAllVotes(stateRecord, snapshotEra), anchorQuorumPpm)
  const vote = voteRecord && readVoteRecord(voteRecord)
  if (vote?.snapshotEra !== BigInt(snapshotEra) || !equalBytes(vote.digest, digest)) {
    return { voters, state: { quorum, tally: 0n, counted: new Set() } }
  }
  const counted = pageRecords.flatMap((record, i) => (record ? readVotePage(record, pages[i] ?? 0, snapshotEra) : []))
  return { voters, state: { quorum, tally: vote.tally, counted: new Set(counted) } }
}
