import { env } from '@massalabs/massa-as-sdk/assembly/env';
import { ByteWriter, equalHashes, toHex } from '../codec';
import { deleteRecord, hasRecord, readRecord, writeRecord } from '../datastore';
import {
  ERA_ANCHORED,
  ERA_NOT_OVER,
  ERA_TOO_EARLY,
  ERA_TOTALS,
  NO_VOTERS,
  NO_VOTES,
  SIGNATURES_UNSORTED,
  VOTES_COUNTED,
} from '../errors';
import { shareOf } from '../math';
import { HASH_BYTES, sha256 } from '../merkle';
import { nameVote, nodeKey, voteKey } from '../storage-keys';
import { EraAnchor } from '../structs/EraAnchor';
import { EraVote } from '../structs/EraVote';
import { NO_ERA, RegistryState } from '../structs/RegistryState';
import { readNodeIndex, readVote } from '../structs/StorageNode';
import { VotePage } from '../structs/VotePage';
import { Call, ERA_PERIODS } from './call';
import { emit } from './events';
import { requireSignature } from './proofs';

const ERA_TEXT_PREFIX = 'massa-storage/era/1:';
/** Periods after the end of an era before it can be anchored: nothing in it is changed any more. */
const FINAL_PERIODS: u64 = 8;
const MAX_CHUNKS: u64 = 16 * ERA_PERIODS;
const MAX_BYTES: u64 = ERA_PERIODS << 24;
export const MAX_SIGNATURES = 100;
/** Hex digits of the digest in a vote's key. */
const VOTE_DIGITS = 16;

/** Nodes whose signatures one call brings, ascending by place. */
class Ballot {
  count: i32 = 0;
  /** nanoMAS */
  votes: u64 = 0;
  private readonly indexes: StaticArray<u64>;
  private readonly stakes: StaticArray<u64>;

  constructor(size: i32) {
    this.indexes = new StaticArray<u64>(size);
    this.stakes = new StaticArray<u64>(size);
  }

  push(index: u64, stake: u64): void {
    this.indexes[this.count] = index;
    this.stakes[this.count] = stake;
    this.count++;
    this.votes += stake;
  }

  /** Marks all in the pages of the vote. @returns votes of those that were not marked before, nanoMAS */
  mark(pages: VotePage[], voteName: string, era: u64): u64 {
    let added: u64 = 0;
    for (let i = 0; i < this.count; i++) {
      const index = this.indexes[i];
      const number = VotePage.numberOf(index);
      if (pages.length == 0 || pages[pages.length - 1].number != number) {
        pages.push(VotePage.open(voteName, number, era));
      }
      if (pages[pages.length - 1].add(index)) added += this.stakes[i];
    }
    return added;
  }
}

/** Counts signatures of a statement about an era; anchors it when they are a quorum, else keeps the count. */
export function _anchorEra(
  call: Call,
  anchor: EraAnchor,
  signatures: StaticArray<u8>[],
): void {
  const state = call.state;
  requireAnchorable(call, anchor);
  const votes = state.voteEra < call.era ? state.votes : state.previousVotes;
  assert(votes > 0, NO_VOTERS);

  const digest = computeEraDigest(call.callee, anchor);
  const shortDigest = toHex(digest, VOTE_DIGITS / 2);
  const voteName = nameVote(anchor.era, shortDigest);
  const key = voteKey(voteName);
  const known = hasRecord(key);
  const ballot = countBallot(call, digest, signatures);
  // More than 0, and never more than all votes.
  const quorum = shareOf(votes, call.config.anchorQuorumPpm);
  let anchored = ballot.votes >= quorum;
  if (!anchored) {
    const vote = openVote(call, digest, known ? readRecord(key) : null);
    const pages = new Array<VotePage>();
    const added = ballot.mark(pages, voteName, call.era);
    assert(added > 0, VOTES_COUNTED);
    vote.tally += added;
    anchored = vote.tally >= quorum;
    if (!anchored) {
      for (let i = 0; i < pages.length; i++) pages[i].save();
      writeRecord(key, vote.serialize());
      emit('ERA_VOTED', [
        anchor.era.toString(),
        shortDigest,
        vote.tally.toString(),
      ]);
    }
  }
  if (anchored) {
    if (known) deleteRecord(key);
    addAnchor(call, anchor);
  }
}

function requireAnchorable(call: Call, anchor: EraAnchor): void {
  const era = anchor.era;
  assert(era >= call.state.firstEra, ERA_TOO_EARLY);
  assert(
    era < call.era && (era + 1) * ERA_PERIODS + FINAL_PERIODS <= call.period,
    ERA_NOT_OVER,
  );
  assert(
    anchor.totalChunks >= ERA_PERIODS &&
      anchor.totalChunks <= MAX_CHUNKS &&
      anchor.totalBytes <= MAX_BYTES,
    ERA_TOTALS,
  );
  assert(!EraAnchor.exists(era), ERA_ANCHORED);
}

/** What the nodes signed: the text is this in hex behind a prefix. */
export function computeEraDigest(
  contract: string,
  anchor: EraAnchor,
): StaticArray<u8> {
  return sha256(
    new ByteWriter(8 + 4 + contract.length + 24 + 2 * HASH_BYTES)
      .u64Big(env.chainId())
      .textBig(contract)
      .u64Big(anchor.era)
      .raw(anchor.root)
      .u64Big(anchor.totalBytes)
      .u64Big(anchor.totalChunks)
      .raw(anchor.placementRoot).bytes,
  );
}

/** The vote goes on where it stood, unless it counted with the stakes of another era. */
function openVote(
  call: Call,
  digest: StaticArray<u8>,
  record: StaticArray<u8> | null,
): EraVote {
  if (record !== null) {
    const vote = EraVote.deserialize(record);
    const same = equalHashes(
      changetype<usize>(vote.digest),
      changetype<usize>(digest),
    );
    if (same && vote.snapshotEra == call.era) return vote;
  }
  const vote = new EraVote(digest);
  vote.snapshotEra = call.era;
  return vote;
}

/** Whose signatures the call brings. Nobody comes twice: places ascend. */
function countBallot(
  call: Call,
  digest: StaticArray<u8>,
  signatures: StaticArray<u8>[],
): Ballot {
  const signedText = ERA_TEXT_PREFIX + toHex(digest, HASH_BYTES);
  const ballot = new Ballot(signatures.length);
  let least: u64 = 0;
  for (let i = 0; i < signatures.length; i++) {
    const key = nodeKey(requireSignature(signatures[i], signedText));
    if (!hasRecord(key)) continue;
    const node = readRecord(key);
    const index = readNodeIndex(node);
    assert(index >= least, SIGNATURES_UNSORTED);
    least = index + 1;
    const stake = readVote(node, call.era);
    if (stake > 0) ballot.push(index, stake);
  }
  assert(ballot.count > 0, NO_VOTES);
  return ballot;
}

function addAnchor(call: Call, anchor: EraAnchor): void {
  const state: RegistryState = call.state;
  anchor.anchoredPeriod = call.period;
  anchor.create();
  state.anchoredBytes += anchor.totalBytes;
  state.anchoredChunks += anchor.totalChunks;
  if (state.latestEra == NO_ERA || anchor.era > state.latestEra) {
    state.latestEra = anchor.era;
  }
  emit('ERA_ANCHORED', [anchor.era.toString(), toHex(anchor.root, HASH_BYTES)]);
}
