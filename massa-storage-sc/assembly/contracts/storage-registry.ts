import { env } from '@massalabs/massa-as-sdk/assembly/env';
import { ByteReader, ByteWriter } from '../codec';
import { hasRecord } from '../datastore';
import {
  ALREADY_CREATED,
  ARGS_INVALID,
  BATCH_INVALID,
  METADATA_INVALID,
  NODE_UNKNOWN,
  NOT_DEPLOYING,
} from '../errors';
import {
  _acceptAdmin,
  _addChallenger,
  _construct,
  _removeChallenger,
  _setPaused,
  _transferAdmin,
  _updateConfig,
  _upgrade,
  requireAddress,
} from '../internals/admin';
import { MAX_SIGNATURES, _anchorEra } from '../internals/anchors';
import { Call, Reading, readParties, requireCreated } from '../internals/call';
import {
  MAX_BATCH,
  _issueChallenges,
  _resolveExpiredChallenges,
  _submitProofs,
  requireAddressText,
} from '../internals/challenges';
import { _distributeRewards, _fundRewards } from '../internals/distribution';
import { MAX_PRUNED, _prune } from '../internals/pruning';
import {
  MAX_P2P_ADDRS,
  _claimRewards,
  _registerStorageNode,
  _topUpStake,
  _unregisterStorageNode,
  _updateNodeMetadata,
  _updateStorageAllocation,
  readTotalNodes,
} from '../internals/registration';
import { _calculatePendingRewards, _getNodes } from '../internals/views';
import { HASH_BYTES } from '../merkle';
import { CONFIG_KEY, challengerKey, textKey } from '../storage-keys';
import { Challenge } from '../structs/Challenge';
import { EraAnchor } from '../structs/EraAnchor';
import { NodeMetadata } from '../structs/NodeMetadata';
import { PeriodStats } from '../structs/PeriodStats';
import { StorageConfig } from '../structs/StorageConfig';
import { StorageNode } from '../structs/StorageNode';

/*
 * storage-registry: storage nodes stake, prove what they hold, and are paid from a pool.
 *
 * Every exported function takes Args-encoded bytes and refuses truncated and trailing ones. A refusal begins with a
 * code of ../errors.ts. Here arguments are decoded and counted; what happens is in ../internals.
 */

/** Of this code; a reader that knows another one must not guess. */
const VERSION: u32 = 1;

/**
 * Runs once, inside the deployment; coins beyond the storage price go back.
 *
 * @param binaryArgs - admin: string, config: StorageConfig (6 to 22 fields)
 */
export function constructor(binaryArgs: StaticArray<u8>): void {
  const parties = readParties();
  assert(
    env.callerHasWriteAccess() && parties.caller != parties.callee,
    NOT_DEPLOYING,
  );
  assert(!hasRecord(textKey(CONFIG_KEY)), ALREADY_CREATED);
  const args = new ByteReader(binaryArgs);
  const admin = args.text();
  const config = new StorageConfig();
  config.update(args);
  args.end();
  _construct(parties.caller, admin, config);
}

// --- nodes ---

/**
 * Coins: the stake and the price of the records; the rest goes back.
 *
 * @param binaryArgs - allocatedGb: u64, [retentionPeriods: u64 = 0 (for ever)], [stake: u64 = what is required]
 */
export function registerStorageNode(binaryArgs: StaticArray<u8>): void {
  const args = new ByteReader(binaryArgs);
  const allocatedGb = args.u64();
  const retentionPeriods = args.hasNext() ? args.u64() : 0;
  const hasStake = args.hasNext();
  const stake = hasStake ? args.u64() : 0;
  args.end();
  const call = new Call();
  _registerStorageNode(call, allocatedGb, retentionPeriods, hasStake, stake);
  call.finish();
}

/** @param binaryArgs - newAllocatedGb: u64, [retentionPeriods: u64 = as it is] */
export function updateStorageAllocation(binaryArgs: StaticArray<u8>): void {
  const args = new ByteReader(binaryArgs);
  const allocatedGb = args.u64();
  const hasRetention = args.hasNext();
  const retention = hasRetention ? args.u64() : 0;
  args.end();
  const call = new Call();
  _updateStorageAllocation(call, allocatedGb, hasRetention, retention);
  call.finish();
}

/** Leaves; called again after unbonding: pays stake and vested rewards. */
export function unregisterStorageNode(binaryArgs: StaticArray<u8>): void {
  new ByteReader(binaryArgs).end();
  const call = new Call();
  _unregisterStorageNode(call);
  call.finish();
}

/** All coins sent become stake. */
export function topUpStake(binaryArgs: StaticArray<u8>): void {
  new ByteReader(binaryArgs).end();
  const call = new Call();
  _topUpStake(call);
  call.finish();
}

/** @param binaryArgs - p2pAddrs: string[], endpoint: string, location: string, operator: string */
export function updateNodeMetadata(binaryArgs: StaticArray<u8>): void {
  const args = new ByteReader(binaryArgs);
  const p2pAddrs = args.texts(MAX_P2P_ADDRS, METADATA_INVALID);
  const endpoint = args.text();
  const location = args.text();
  const operator = args.text();
  args.end();
  const call = new Call();
  _updateNodeMetadata(call, p2pAddrs, endpoint, location, operator);
  call.finish();
}

// --- challenges ---

/** @param binaryArgs - challengeId: string, nodeAddress: string, chunkId: string, nonce: u64, [evidence: bytes] */
export function issueChallenge(binaryArgs: StaticArray<u8>): void {
  const args = new ByteReader(binaryArgs);
  const ids = [args.text()];
  const nodeAddress = args.text();
  const chunkIds = [args.text()];
  const nonces = [args.u64()];
  const evidences = new Array<StaticArray<u8>>();
  if (args.hasNext()) evidences.push(args.byteString());
  args.end();
  const call = new Call();
  _issueChallenges(call, ids, nodeAddress, chunkIds, nonces, evidences);
  call.finish();
}

/**
 * Up to 8 challenges of one audit.
 *
 * @param binaryArgs - challengeIds: string[], nodeAddress: string, chunkIds: string[], nonces: u64[],
 *   [evidences: list of bytes]
 */
export function issueChallenges(binaryArgs: StaticArray<u8>): void {
  const args = new ByteReader(binaryArgs);
  const ids = args.texts(MAX_BATCH, BATCH_INVALID);
  const nodeAddress = args.text();
  const chunkIds = args.texts(MAX_BATCH, BATCH_INVALID);
  const nonces = args.u64s(MAX_BATCH, BATCH_INVALID);
  const evidences = args.hasNext()
    ? args.byteStrings(MAX_BATCH, BATCH_INVALID)
    : new Array<StaticArray<u8>>();
  args.end();
  const call = new Call();
  _issueChallenges(call, ids, nodeAddress, chunkIds, nonces, evidences);
  call.finish();
}

/** @param binaryArgs - challengeId: string, merkleProof: bytes, signature: bytes */
export function submitProof(binaryArgs: StaticArray<u8>): void {
  const args = new ByteReader(binaryArgs);
  const ids = [args.text()];
  const proofs = [args.byteString()];
  const signatures = [args.byteString()];
  args.end();
  const call = new Call();
  _submitProofs(call, ids, proofs, signatures);
  call.finish();
}

/** @param binaryArgs - challengeIds: string[], merkleProofs: list of bytes, signatures: list of bytes; up to 8 each */
export function submitProofs(binaryArgs: StaticArray<u8>): void {
  const args = new ByteReader(binaryArgs);
  const ids = args.texts(MAX_BATCH, BATCH_INVALID);
  const proofs = args.byteStrings(MAX_BATCH, BATCH_INVALID);
  const signatures = args.byteStrings(MAX_BATCH, BATCH_INVALID);
  args.end();
  const call = new Call();
  _submitProofs(call, ids, proofs, signatures);
  call.finish();
}

/** @param binaryArgs - challengeIds: string[], up to 8; those not open or not expired are skipped */
export function resolveExpiredChallenges(binaryArgs: StaticArray<u8>): void {
  const args = new ByteReader(binaryArgs);
  const ids = args.texts(MAX_BATCH, BATCH_INVALID);
  args.end();
  const call = new Call();
  _resolveExpiredChallenges(call, ids);
  call.finish();
}

// --- rewards ---

/** @param binaryArgs - period: u64, over and after the last one distributed */
export function distributeRewards(binaryArgs: StaticArray<u8>): void {
  const args = new ByteReader(binaryArgs);
  const period = args.u64();
  args.end();
  const call = new Call();
  _distributeRewards(call, period);
  call.finish();
}

/** Pays the caller's vested rewards. */
export function claimRewards(binaryArgs: StaticArray<u8>): void {
  new ByteReader(binaryArgs).end();
  const call = new Call();
  _claimRewards(call);
  call.finish();
}

/** Coins sent, and donations found, go to the pool. */
export function fundRewards(binaryArgs: StaticArray<u8>): void {
  new ByteReader(binaryArgs).end();
  const call = new Call();
  _fundRewards(call);
  call.finish();
}

// --- eras, records ---

/**
 * @param binaryArgs - era: u64, root: bytes (32), totalBytes: u64, totalChunks: u64, placementRoot: bytes (32) of the
 *   placement of era + 1, signatures: list of `<key>:<signature>`, up to 100, ascending by registry index
 */
export function anchorEra(binaryArgs: StaticArray<u8>): void {
  const args = new ByteReader(binaryArgs);
  const anchor = new EraAnchor(args.u64());
  anchor.root = args.byteString();
  anchor.totalBytes = args.u64();
  anchor.totalChunks = args.u64();
  anchor.placementRoot = args.byteString();
  const signatures = args.byteStrings(MAX_SIGNATURES, BATCH_INVALID);
  args.end();
  assert(
    anchor.root.length == HASH_BYTES &&
      anchor.placementRoot.length == HASH_BYTES,
    ARGS_INVALID,
  );
  assert(signatures.length > 0, BATCH_INVALID);
  const call = new Call();
  _anchorEra(call, anchor, signatures);
  call.finish();
}

/** @param binaryArgs - kind: u8 (0 challenge, 1 period, 2 vote), ids: string[], up to 20 */
export function prune(binaryArgs: StaticArray<u8>): void {
  const args = new ByteReader(binaryArgs);
  const kind = args.u8();
  const ids = args.texts(MAX_PRUNED, BATCH_INVALID);
  args.end();
  const call = new Call();
  _prune(call, kind, ids);
  call.finish();
}

// --- admin ---

/** @param binaryArgs - config: StorageConfig, 6 to 22 fields; those left out keep their values */
export function updateConfig(binaryArgs: StaticArray<u8>): void {
  const call = new Call();
  _updateConfig(call, binaryArgs);
  call.finish();
}

/** @param binaryArgs - bytecode: bytes; growth is paid by the coins sent */
export function upgrade(binaryArgs: StaticArray<u8>): void {
  const args = new ByteReader(binaryArgs);
  const bytecode = args.byteString();
  args.end();
  const call = new Call();
  _upgrade(call, bytecode);
  call.finish();
}

/** @param binaryArgs - address: string */
export function addChallenger(binaryArgs: StaticArray<u8>): void {
  const address = readOneText(binaryArgs);
  const call = new Call();
  _addChallenger(call, address);
  call.finish();
}

/** @param binaryArgs - address: string */
export function removeChallenger(binaryArgs: StaticArray<u8>): void {
  const address = readOneText(binaryArgs);
  const call = new Call();
  _removeChallenger(call, address);
  call.finish();
}

/** @param binaryArgs - paused: bool */
export function setPaused(binaryArgs: StaticArray<u8>): void {
  const args = new ByteReader(binaryArgs);
  const paused = args.bool();
  args.end();
  const call = new Call();
  _setPaused(call, paused);
  call.finish();
}

/** @param binaryArgs - address: string, which must accept */
export function transferAdmin(binaryArgs: StaticArray<u8>): void {
  const address = readOneText(binaryArgs);
  const call = new Call();
  _transferAdmin(call, address);
  call.finish();
}

/** The caller becomes the admin it was proposed as. */
export function acceptAdmin(binaryArgs: StaticArray<u8>): void {
  new ByteReader(binaryArgs).end();
  const call = new Call();
  _acceptAdmin(call);
  call.finish();
}

// --- views ---

/** @param binaryArgs - address: string. @returns StorageNode */
export function getNodeInfo(binaryArgs: StaticArray<u8>): StaticArray<u8> {
  const address = readAddress(binaryArgs);
  return StorageNode.show(address).encode();
}

/** @param binaryArgs - challengeId: string. @returns Challenge */
export function getChallenge(binaryArgs: StaticArray<u8>): StaticArray<u8> {
  const id = readOneText(binaryArgs);
  return Challenge.load(id).encode();
}

/** @param binaryArgs - period: u64. @returns PeriodStats */
export function getPeriodStats(binaryArgs: StaticArray<u8>): StaticArray<u8> {
  return PeriodStats.load(readOneU64(binaryArgs)).encode();
}

/** @returns StorageConfig, 22 fields */
export function getConfig(binaryArgs: StaticArray<u8>): StaticArray<u8> {
  new ByteReader(binaryArgs).end();
  return new Reading().config.serialize();
}

/** @returns u64 */
export function getTotalNodes(binaryArgs: StaticArray<u8>): StaticArray<u8> {
  new ByteReader(binaryArgs).end();
  requireCreated();
  return encodeU64(readTotalNodes());
}

/** @param binaryArgs - address: string. @returns u64, nanoMAS */
export function calculatePendingRewards(
  binaryArgs: StaticArray<u8>,
): StaticArray<u8> {
  return encodeU64(_calculatePendingRewards(readAddress(binaryArgs)));
}

/** @param binaryArgs - offset: u64, limit: u32 (1 to 50). @returns registryVersion, total, StorageNode[] */
export function getNodes(binaryArgs: StaticArray<u8>): StaticArray<u8> {
  const args = new ByteReader(binaryArgs);
  const offset = args.u64();
  const limit = args.u32();
  args.end();
  return _getNodes(offset, limit);
}

/** @param binaryArgs - address: string. @returns fromEra, current and previous metadata */
export function getNodeMetadata(binaryArgs: StaticArray<u8>): StaticArray<u8> {
  const address = readAddress(binaryArgs);
  assert(StorageNode.exists(address), NODE_UNKNOWN);
  return NodeMetadata.load(address).encode();
}

/** @param binaryArgs - era: u64. @returns EraAnchor */
export function getEra(binaryArgs: StaticArray<u8>): StaticArray<u8> {
  return EraAnchor.load(readOneU64(binaryArgs)).encode();
}

/** @returns u64, the highest anchored; 2^64 - 1 = none */
export function getLatestEra(binaryArgs: StaticArray<u8>): StaticArray<u8> {
  new ByteReader(binaryArgs).end();
  return encodeU64(new Reading().state.latestEra);
}

/** @param binaryArgs - address: string. @returns bool */
export function isChallenger(binaryArgs: StaticArray<u8>): StaticArray<u8> {
  const address = readOneText(binaryArgs);
  requireAddress(address);
  const known = hasRecord(challengerKey(address));
  return new ByteWriter(1).bool(known).bytes;
}

/** @returns u64, nanoMAS not yet set aside */
export function getRewardPool(binaryArgs: StaticArray<u8>): StaticArray<u8> {
  new ByteReader(binaryArgs).end();
  return encodeU64(new Reading().state.pool);
}

/** @returns u32 */
export function getVersion(binaryArgs: StaticArray<u8>): StaticArray<u8> {
  new ByteReader(binaryArgs).end();
  return new ByteWriter(4).u32(VERSION).bytes;
}

function readOneText(binaryArgs: StaticArray<u8>): string {
  const args = new ByteReader(binaryArgs);
  const value = args.text();
  args.end();
  return value;
}

function readAddress(binaryArgs: StaticArray<u8>): string {
  const address = readOneText(binaryArgs);
  requireAddressText(address);
  return address;
}

function readOneU64(binaryArgs: StaticArray<u8>): u64 {
  const args = new ByteReader(binaryArgs);
  const value = args.u64();
  args.end();
  return value;
}

function encodeU64(value: u64): StaticArray<u8> {
  return new ByteWriter(8).u64(value).bytes;
}
