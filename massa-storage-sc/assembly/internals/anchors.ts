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
} from '../errors';
import { HASH_BYTES, sha256 } from '../merkle';
import { nodeKey, voteKey } from '../storage-keys';
import { EraAnchor } from '../structs/EraAnchor';
import { EraVote, NO_INDEX } from '../structs/EraVote';
import { NO_ERA, RegistryState } from '../structs/RegistryState';
import { readNodeIndex, readSnapshotWeight } from '../structs/StorageNode';
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
const PPM: u64 = 1_000_000;

/** Signatures of one call. */
class Ballot {
  /** Registry indexes of the first and last signer */
  firstIndex: u64 = NO_INDEX;
  lastIndex: u64 = NO_INDEX;
  /** Weight, GB */
  tally: u64 = 0;
}

/** Counts signatures of a statement about an era; anchors it when they are a quorum, else keeps the count. */
export function _anchorEra(
  call: Call,
  anchor: EraAnchor,
  signatures: StaticArray<u8>[],
): void {
  const state = call.state;
  requireAnchorable(call, anchor);
  const votes =
    state.weightEra < call.era ? state.weight : state.previousWeight;
  assert(votes > 0, NO_VOTERS);

  const digest = computeEraDigest(call.callee, anchor);
  const shortDigest = toHex(digest, VOTE_DIGITS / 2);
  const key = voteKey(anchor.era, shortDigest);
  const known = hasRecord(key);
  const vote = openVote(call, digest, known ? readRecord(key) : null);
  addBallot(vote, countBallot(call, digest, signatures));
  if (vote.tally * PPM >= call.config.anchorQuorumPpm * votes) {
    if (known) deleteRecord(key);
    addAnchor(call, anchor);
    return;
  }
  writeRecord(key, vote.serialize());
  emit('ERA_VOTED', [
    anchor.era.toString(),
    shortDigest,
    vote.tally.toString(),
    vote.lastIndex.toString(),
  ]);
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

/** The vote goes on where it stood, unless it counted with the weights of another era. */
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

/** What the signatures of one call come to. Nobody counts twice: indexes ascend. */
function countBallot(
  call: Call,
  digest: StaticArray<u8>,
  signatures: StaticArray<u8>[],
): Ballot {
  const signedText = ERA_TEXT_PREFIX + toHex(digest, HASH_BYTES);
  const ballot = new Ballot();
  for (let i = 0; i < signatures.length; i++) {
    const key = nodeKey(requireSignature(signatures[i], signedText));
    if (!hasRecord(key)) continue;
    const node = readRecord(key);
    const index = readNodeIndex(node);
    assert(
      ballot.lastIndex == NO_INDEX || index > ballot.lastIndex,
      SIGNATURES_UNSORTED,
    );
    if (ballot.firstIndex == NO_INDEX) ballot.firstIndex = index;
    ballot.lastIndex = index;
    ballot.tally += readSnapshotWeight(node, call.era);
  }
  assert(ballot.tally > 0, NO_VOTES);
  return ballot;
}

/**
 * Signatures above the last one seen add to the vote: a node that is moved only gets a lower index, and a new node had
 * no weight when the era began. Others stand alone, and take the place of what weighs less: else one signature of the
 * highest index would end every vote.
 */
function addBallot(vote: EraVote, ballot: Ballot): void {
  if (vote.lastIndex == NO_INDEX || ballot.firstIndex > vote.lastIndex) {
    vote.tally += ballot.tally;
  } else {
    assert(ballot.tally > vote.tally, SIGNATURES_UNSORTED);
    vote.tally = ballot.tally;
  }
  vote.lastIndex = ballot.lastIndex;
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
