import { toHex } from '../bytes.ts'
import { ArgsReader, u8, u64 } from './args.ts'
import type { RegistryNode } from './views.ts'

/*
 * What the registry keeps of the signatures about an era until they are a quorum (docs/CONTRACT.md, Eras and Records).
 */

const RECORD_VERSION = 1
const STATE_BYTES = 320
const VOTE_BYTES = 49
const PAGE_BYTES = 41
const HASH_BYTES = 32
/** Bytes of the digest in the key of a vote. */
const NAMED_BYTES = 8
/** Places of the registry in a page. */
const PAGE_PLACES = 256
const PPM = 1_000_000n

/** Signatures of one statement about an era that the registry has counted. */
export interface EraVote {
  /** 32 bytes, see `computeEraDigest` */
  readonly digest: Uint8Array
  /** Era whose starting stakes were counted: in another one the vote starts over. */
  readonly snapshotEra: bigint
  /** nanoMAS */
  readonly tally: bigint
}

/** Datastore key of the vote on a statement. */
export function computeVoteKey(era: number, digest: Uint8Array): string {
  return `vote_${era}_${toHex(digest.subarray(0, NAMED_BYTES))}`
}

/** Datastore key of the marks of the voters of a page. */
export function computeVotePageKey(era: number, digest: Uint8Array, page: number): string {
  return `${computeVoteKey(era, digest)}_${page}`
}

/** Page that holds the mark of a node. @param index - its place in the registry */
export function computeVotePage(index: bigint): number {
  return Number(index / BigInt(PAGE_PLACES))
}

/** @throws ArchiveError CORE_BYTES_INVALID for a record of another version or length */
export function readVoteRecord(record: Uint8Array): EraVote {
  const reader = begin(record, VOTE_BYTES)
  const vote = {
    digest: Uint8Array.from(reader.raw(HASH_BYTES)),
    snapshotEra: u64.read(reader),
    tally: u64.read(reader),
  }
  reader.end()
  return vote
}

/**
 * Places of the registry that a page marks as counted.
 *
 * @param era - in force: marks of another one are void
 * @throws ArchiveError CORE_BYTES_INVALID for a record of another version or length
 */
export function readVotePage(record: Uint8Array, page: number, era: number): bigint[] {
  const reader = begin(record, PAGE_BYTES)
  if (u64.read(reader) !== BigInt(era)) return []
  const bits = reader.raw(PAGE_PLACES / 8)
  const places: bigint[] = []
  for (let i = 0; i < PAGE_PLACES; i++) {
    if (((bits[i >> 3] ?? 0) >> (i & 7)) & 1) places.push(BigInt(page * PAGE_PLACES + i))
  }
  return places
}

/**
 * Votes of all nodes at the start of an era, nanoMAS.
 *
 * @param state - the record `state`, of that era
 * @throws ArchiveError CORE_BYTES_INVALID for a record of another version or length
 */
export function readAllVotes(state: Uint8Array, era: number): bigint {
  const reader = begin(state, STATE_BYTES)
  // index, idxRem, accruedPeriod, weight
  reader.raw(8 + 4 + 8 + 8)
  const [votes, voteEra, previousVotes] = [u64.read(reader), u64.read(reader), u64.read(reader)]
  return voteEra < BigInt(era) ? votes : previousVotes
}

/** nanoMAS that the signature of a node counts in an era; 0 where it took the place of another one in it. */
export function computeVote(
  node: Pick<RegistryNode, 'vote' | 'voteEra' | 'previousVote' | 'movedEra'>,
  era: number,
): bigint {
  if (node.movedEra === BigInt(era)) return 0n
  return node.voteEra < BigInt(era) ? node.vote : node.previousVote
}

/** Votes that anchor an era, nanoMAS: ceil(votes x ppm / 10^6). */
export function computeQuorum(votes: bigint, quorumPpm: number): bigint {
  return (votes * BigInt(quorumPpm) + PPM - 1n) / PPM
}

function begin(record: Uint8Array, sizeBytes: number): ArgsReader {
  const reader = new ArgsReader(record)
  if (record.length !== sizeBytes) throw reader.error(`a record of ${record.length} bytes, not ${sizeBytes}`)
  const version = u8.read(reader)
  if (version !== RECORD_VERSION) throw reader.error(`a record of version ${version}`)
  return reader
}
