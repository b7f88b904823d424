import { env } from '@massalabs/massa-as-sdk/assembly/env';
import { ADDRESS_CHARS, ByteReader, parseHash } from '../codec';
import { hasRecord, readRecord } from '../datastore';
import {
  ADDRESS_INVALID,
  AUDIT_FULL,
  AUDIT_OPEN,
  BATCH_INVALID,
  CHALLENGE_EXISTS,
  CHALLENGE_ID_INVALID,
  CHALLENGE_LATE,
  CHALLENGE_RESOLVED,
  CHUNK_ID_INVALID,
  KEY_MISMATCH,
  NODE_INACTIVE,
  NOTHING_EXPIRED,
  NOT_CHALLENGER,
  PAUSED,
  TOO_SOON,
} from '../errors';
import { challengerKey } from '../storage-keys';
import {
  Challenge,
  MAX_ID_CHARS,
  OUTCOME_EXPIRED,
  OUTCOME_FAILED,
  OUTCOME_PASSED,
  OUTCOME_VOID,
} from '../structs/Challenge';
import { PeriodStats } from '../structs/PeriodStats';
import { NO_STRIKE, StorageNode } from '../structs/StorageNode';
import { readVersion } from '../structs/version';
import { closeAudit, computeStrikeLimit, openAudit, slash } from './accrual';
import { Call } from './call';
import { emit } from './events';
import { requireEvidence } from './evidence';
import {
  PROOF_GOOD,
  computeChallengeSeed,
  computeProofText,
  requireSignature,
  verifyProof,
} from './proofs';

/** Challenges that one call may issue, prove or expire: three events each stay below the 25 of an operation. */
export const MAX_BATCH = 8;

export function requireAddressText(address: string): void {
  assert(
    address.length >= 1 && address.length <= ADDRESS_CHARS,
    ADDRESS_INVALID,
  );
}

/**
 * All challenges of one call, against one node.
 *
 * @param evidences - one each, or none at all
 */
export function _issueChallenges(
  call: Call,
  ids: string[],
  nodeAddress: string,
  chunkIds: string[],
  nonces: u64[],
  evidences: StaticArray<u8>[],
): void {
  const count = ids.length;
  assert(count >= 1 && count <= MAX_BATCH, BATCH_INVALID);
  assert(chunkIds.length == count && nonces.length == count, BATCH_INVALID);
  assert(evidences.length == 0 || evidences.length == count, BATCH_INVALID);
  assert(!call.state.paused, PAUSED);
  assert(hasRecord(challengerKey(call.caller)), NOT_CHALLENGER);
  let node: StorageNode | null = null;
  for (let i = 0; i < count; i++) {
    requireChallengeId(ids[i]);
    const chunkId = parseHash(chunkIds[i], CHUNK_ID_INVALID);
    if (node === null) {
      requireAddressText(nodeAddress);
      node = StorageNode.load(nodeAddress, call.state);
      assert(node.active, NODE_INACTIVE);
    }
    const challenge = new Challenge(ids[i]);
    challenge.nodeAddress = nodeAddress;
    challenge.chunkId = chunkId;
    challenge.nonce = nonces[i];
    const evidence =
      evidences.length == 0 ? new StaticArray<u8>(0) : evidences[i];
    issueOne(call, node, challenge, evidence);
    emit('CHALLENGE_ISSUED', [ids[i], nodeAddress, chunkIds[i]]);
  }
  if (node !== null) node.save();
  countIssued(call, count);
}

function issueOne(
  call: Call,
  node: StorageNode,
  challenge: Challenge,
  evidence: StaticArray<u8>,
): void {
  assert(!Challenge.exists(challenge.id), CHALLENGE_EXISTS);
  joinAudit(call, node);
  if (call.config.requireAnchors) {
    requireEvidence(call, evidence, challenge.chunkId, node);
  }
  node.openChallenges++;
  node.auditTotal++;
  node.totalChallenges++;
  challenge.issuedPeriod = call.period;
  challenge.deadline = env.time() + call.config.challengeResponseTimeout;
  challenge.issuer = call.caller;
  challenge.samples = call.config.samplesPerChallenge;
  challenge.create();
}

/** One audit = what one challenger asks of one node in one period. */
function joinAudit(call: Call, node: StorageNode): void {
  const own = node.lastChallenger == call.caller;
  if (node.openChallenges > 0) {
    assert(own && node.auditPeriod == call.period, AUDIT_OPEN);
    const most = call.config.maxOpenChallengesPerNode;
    assert(node.auditTotal < most, AUDIT_FULL);
    return;
  }
  // The same challenger waits twice as long when there are others, so that none can keep a node to himself.
  // One audit of a node per period, also where the interval is 0.
  let interval = max<u64>(1, call.config.minChallengeIntervalPeriods);
  if (own && call.state.challengerCount > 1) interval *= 2;
  assert(call.period >= node.lastChallengedPeriod + interval, TOO_SOON);
  openAudit(call, node);
  node.auditPeriod = call.period;
  node.lastChallengedPeriod = call.period;
  node.lastChallenger = call.caller;
}

function countIssued(call: Call, count: i32): void {
  const stats = PeriodStats.exists(call.period)
    ? PeriodStats.load(call.period)
    : new PeriodStats(call.period);
  stats.totalGbStored = call.state.weight;
  stats.activeNodes = call.state.activeNodes;
  stats.challengesIssued += count;
  stats.create();
}

function requireChallengeId(id: string): void {
  assert(id.length >= 1 && id.length <= MAX_ID_CHARS, CHALLENGE_ID_INVALID);
  for (let i = 0; i < id.length; i++) {
    const char = <u32>id.charCodeAt(i);
    assert(
      char - 48 < 10 ||
        char - 65 < 26 ||
        char - 97 < 26 ||
        char == 45 ||
        char == 95,
      CHALLENGE_ID_INVALID,
    );
  }
}

export function _submitProofs(
  call: Call,
  ids: string[],
  proofs: StaticArray<u8>[],
  signatures: StaticArray<u8>[],
): void {
  const count = ids.length;
  assert(count >= 1 && count <= MAX_BATCH, BATCH_INVALID);
  assert(proofs.length == count && signatures.length == count, BATCH_INVALID);
  const chainId = env.chainId();
  const now = env.time();
  let proven = 0;
  for (let i = 0; i < count; i++) {
    const challenge = Challenge.load(ids[i]);
    // Anyone may show a proof: one that came first must not undo the others.
    if (challenge.resolved) continue;
    proven++;
    assert(now <= challenge.deadline, CHALLENGE_LATE);
    const seed = computeChallengeSeed(chainId, call.callee, challenge);
    const signer = requireSignature(
      signatures[i],
      computeProofText(seed, proofs[i]),
    );
    assert(signer == challenge.nodeAddress, KEY_MISMATCH);
    const verdict = verifyProof(proofs[i], challenge, seed);
    if (verdict == PROOF_GOOD) resolve(call, challenge, OUTCOME_PASSED, '');
    else resolve(call, challenge, OUTCOME_FAILED, verdict);
  }
  assert(proven > 0, CHALLENGE_RESOLVED);
}

export function _resolveExpiredChallenges(call: Call, ids: string[]): void {
  assert(ids.length >= 1 && ids.length <= MAX_BATCH, BATCH_INVALID);
  const now = env.time();
  let count = 0;
  for (let i = 0; i < ids.length; i++) {
    if (!Challenge.exists(ids[i])) continue;
    const challenge = Challenge.load(ids[i]);
    if (challenge.resolved || now <= challenge.deadline) continue;
    resolve(call, challenge, OUTCOME_EXPIRED, '');
    count++;
  }
  assert(count > 0, NOTHING_EXPIRED);
}

/**
 * A challenge counts against a node only while its issuer still has the right it had when it issued. Of one added in the
 * period of the issue nobody can tell whether that was before or after.
 */
function isIssuerGone(challenge: Challenge): bool {
  const key = challengerKey(challenge.issuer);
  if (!hasRecord(key)) return true;
  const reader = new ByteReader(readRecord(key));
  readVersion(reader);
  return reader.u64() >= challenge.issuedPeriod;
}

function resolve(
  call: Call,
  challenge: Challenge,
  wanted: u8,
  reason: string,
): void {
  const node = StorageNode.load(challenge.nodeAddress, call.state);
  const outcome =
    wanted != OUTCOME_PASSED && isIssuerGone(challenge) ? OUTCOME_VOID : wanted;
  challenge.resolved = true;
  challenge.passed = outcome == OUTCOME_PASSED;
  challenge.outcome = outcome;
  challenge.save();
  node.openChallenges--;
  if (outcome == OUTCOME_PASSED) {
    pass(node, challenge);
  } else if (outcome == OUTCOME_VOID) {
    node.totalChallenges--;
    node.auditTotal--;
    emit('CHALLENGE_VOIDED', [challenge.id, node.address]);
  } else {
    if (outcome == OUTCOME_FAILED) {
      emit('CHALLENGE_FAILED', [challenge.id, node.address, reason]);
    } else {
      emit('CHALLENGE_EXPIRED', [challenge.id, node.address]);
    }
    strike(call, node, challenge.issuedPeriod);
  }
  if (node.openChallenges == 0) closeAudit(call, node);
  node.save();
}

function pass(node: StorageNode, challenge: Challenge): void {
  node.passedChallenges++;
  node.auditPassed++;
  if (PeriodStats.exists(challenge.issuedPeriod)) {
    const stats = PeriodStats.load(challenge.issuedPeriod);
    stats.challengesPassed++;
    stats.save();
  }
  emit('CHALLENGE_PASSED', [challenge.id, node.address]);
}

/** At most one strike per spacing, so that one outage is one strike. */
function strike(call: Call, node: StorageNode, issuedPeriod: u64): void {
  const config = call.config;
  if (
    node.lastStrikePeriod != NO_STRIKE &&
    issuedPeriod < node.lastStrikePeriod + config.strikeSpacingPeriods
  ) {
    return;
  }
  node.lastStrikePeriod = issuedPeriod;
  node.strikePoints += config.passesPerStrike;
  if (node.strikePoints >= computeStrikeLimit(config)) {
    slash(call, node);
  }
}
