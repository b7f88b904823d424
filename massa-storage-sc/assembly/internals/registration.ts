import { Storage } from '@massalabs/massa-as-sdk';
import { bytesToU64, u64ToBytes } from '@massalabs/as-types';
import { ADDRESS_CHARS, ByteWriter } from '../codec';
import {
  deleteRecord,
  hasRecord,
  readRecord,
  rewriteRecord,
  writeRecord,
} from '../datastore';
import {
  AMOUNT_ZERO,
  CALLER_NOT_USER,
  CHALLENGES_OPEN,
  COINS_SHORT,
  FULL,
  GB_OUT_OF_RANGE,
  METADATA_INVALID,
  NODE_EXISTS,
  NODE_LEAVING,
  NODE_UNKNOWN,
  NOTHING_TO_CLAIM,
  PAUSED,
  STAKE_LOW,
  UNBONDING,
} from '../errors';
import {
  TOTAL_NODES_KEY,
  metadataKey,
  nodeIndexKey,
  textKey,
} from '../storage-keys';
import { NodeMetadata } from '../structs/NodeMetadata';
import { StorageConfig } from '../structs/StorageConfig';
import { StorageNode } from '../structs/StorageNode';
import { RECORD_VERSION, requireVersion } from '../structs/version';
import {
  computeRequiredStake,
  currentRules,
  refresh,
  returnToPool,
  setRetention,
  settle,
} from './accrual';
import { Call } from './call';
import { emit, text } from './events';

export const MAX_P2P_ADDRS = 8;
const MAX_P2P_ADDR_CHARS = 128;
const MAX_ENDPOINT_CHARS = 256;
const MAX_TAG_CHARS = 64;

export function readTotalNodes(): u64 {
  return bytesToU64(Storage.get(textKey(TOTAL_NODES_KEY)));
}

function writeTotalNodes(total: u64): void {
  rewriteRecord(textKey(TOTAL_NODES_KEY), u64ToBytes(total));
}

/** Address of the node at a place of the registry. */
export function readNodeAt(index: u64): string {
  const bytes = readRecord(nodeIndexKey(index));
  requireVersion(bytes);
  let length = 0;
  while (length < ADDRESS_CHARS && bytes[1 + length] != 0) length++;
  return String.UTF8.decodeUnsafe(changetype<usize>(bytes) + 1, length);
}

function writeNodeAt(index: u64, address: string): void {
  const bytes = new ByteWriter(1 + ADDRESS_CHARS)
    .u8(RECORD_VERSION)
    .ascii(address).bytes;
  writeRecord(nodeIndexKey(index), bytes);
}

function requireGb(config: StorageConfig, gb: u64): void {
  assert(
    gb >= config.minAllocatedGb && gb <= config.maxAllocatedGb,
    GB_OUT_OF_RANGE,
  );
}

/** @param givenStake - nanoMAS; counts only if `hasStake`, else the required amount is taken */
export function _registerStorageNode(
  call: Call,
  allocatedGb: u64,
  retentionPeriods: u64,
  hasStake: bool,
  givenStake: u64,
): void {
  assert(!call.state.paused, PAUSED);
  assert(call.caller.startsWith('AU'), CALLER_NOT_USER);
  assert(!StorageNode.exists(call.caller), NODE_EXISTS);
  const total = readTotalNodes();
  assert(total < call.config.maxNodes, FULL);
  requireGb(call.config, allocatedGb);
  const required = computeRequiredStake(call.config, allocatedGb);
  const stake = hasStake ? givenStake : required;
  assert(stake >= required, STAKE_LOW);
  assert(call.coins >= stake, COINS_SHORT);

  const node = new StorageNode(call.caller);
  node.allocatedGb = allocatedGb;
  node.registeredPeriod = call.period;
  node.active = true;
  node.stake = stake;
  node.rules = currentRules(call.config);
  node.indexPaid = call.state.index;
  node.index = total;
  setRetention(call, node, retentionPeriods);
  refresh(call, node);
  call.state.stakes += stake;
  call.state.registryVersion++;
  node.create();
  writeNodeAt(total, node.address);
  writeTotalNodes(total + 1);
  emit('STORAGE_NODE_REGISTERED', [node.address, allocatedGb.toString()]);
}

/** @param givenRetention - periods; counts only if `hasRetention`, else it stays as it is */
export function _updateStorageAllocation(
  call: Call,
  allocatedGb: u64,
  hasRetention: bool,
  givenRetention: u64,
): void {
  assert(!call.state.paused, PAUSED);
  const node = StorageNode.load(call.caller, call.state);
  assert(!node.leaving, NODE_LEAVING);
  requireGb(call.config, allocatedGb);
  const enough = node.stake >= computeRequiredStake(call.config, allocatedGb);
  const old = node.allocatedGb;
  assert(enough || allocatedGb <= old, STAKE_LOW);

  node.allocatedGb = allocatedGb;
  node.active = enough;
  if (enough) node.rules = currentRules(call.config);
  if (hasRetention) setRetention(call, node, givenRetention);
  refresh(call, node);
  node.save();
  emit('STORAGE_NODE_UPDATED', [
    node.address,
    old.toString(),
    allocatedGb.toString(),
  ]);
}

/** All coins sent become stake; enough of it makes a slashed node active again. */
export function _topUpStake(call: Call): void {
  const node = StorageNode.load(call.caller, call.state);
  assert(!node.leaving, NODE_LEAVING);
  assert(call.coins > 0, AMOUNT_ZERO);
  node.stake += call.coins;
  call.state.stakes += call.coins;
  node.active =
    node.stake >= computeRequiredStake(call.config, node.allocatedGb);
  if (node.active) node.rules = currentRules(call.config);
  refresh(call, node);
  node.save();
  emit('STAKE_ADDED', [
    node.address,
    call.coins.toString(),
    node.stake.toString(),
    text(node.active),
  ]);
}

/** First call: leaves. Second, after unbonding and with no challenge open: is paid and forgotten. */
export function _unregisterStorageNode(call: Call): void {
  const node = StorageNode.load(call.caller, call.state);
  const first = !node.leaving;
  if (first) leave(call, node);
  const payable = node.openChallenges == 0 && call.period >= node.unlockPeriod;
  if (first && !payable) {
    node.save();
    return;
  }
  assert(node.openChallenges == 0, CHALLENGES_OPEN);
  assert(payable, UNBONDING);
  withdraw(call, node);
}

function leave(call: Call, node: StorageNode): void {
  settle(call.state, node);
  returnToPool(call.state, node.unvested);
  node.unvested = 0;
  node.leaving = true;
  node.active = false;
  node.unlockPeriod = call.period + call.config.unbondingPeriods;
  refresh(call, node);
  emit('STORAGE_NODE_UNREGISTERED', [node.address, node.stake.toString()]);
}

/** The coins leave with the refund at the end of the call. */
function withdraw(call: Call, node: StorageNode): void {
  call.state.stakes -= node.stake;
  call.state.owed -= node.pendingRewards;
  call.state.registryVersion++;
  removeFromIndex(call, node.index);
  node.remove();
  const metadata = metadataKey(node.address);
  if (hasRecord(metadata)) deleteRecord(metadata);
  const amount = node.stake + node.pendingRewards;
  emit('STAKE_WITHDRAWN', [node.address, amount.toString()]);
}

/** The last node takes the place that becomes free, so indexes only fall. */
function removeFromIndex(call: Call, index: u64): void {
  const last = readTotalNodes() - 1;
  if (index != last) {
    const moved = StorageNode.load(readNodeAt(last), call.state);
    moved.index = index;
    moved.movedEra = call.era;
    moved.save();
    writeNodeAt(index, moved.address);
  }
  deleteRecord(nodeIndexKey(last));
  writeTotalNodes(last);
}

export function _updateNodeMetadata(
  call: Call,
  p2pAddrs: string[],
  endpoint: string,
  location: string,
  operator: string,
): void {
  let listBytes = 0;
  for (let i = 0; i < p2pAddrs.length; i++) {
    requirePrintable(p2pAddrs[i], MAX_P2P_ADDR_CHARS);
    listBytes += 4 + p2pAddrs[i].length;
  }
  requirePrintable(endpoint, MAX_ENDPOINT_CHARS);
  requirePrintable(location, MAX_TAG_CHARS);
  requirePrintable(operator, MAX_TAG_CHARS);
  assert(StorageNode.exists(call.caller), NODE_UNKNOWN);

  const texts = endpoint.length + location.length + operator.length;
  const writer = new ByteWriter(4 + listBytes + 12 + texts).u32(listBytes);
  for (let i = 0; i < p2pAddrs.length; i++) writer.text(p2pAddrs[i]);
  writer.text(endpoint).text(location).text(operator);

  const metadata = NodeMetadata.load(call.caller);
  // A second update in one era replaces the first: what placement saw at its start stays.
  if (metadata.fromEra <= call.era) metadata.previous = metadata.current;
  metadata.current = writer.bytes;
  metadata.fromEra = call.era + 1;
  metadata.save(call.caller);
  emit('METADATA_UPDATED', [call.caller, metadata.fromEra.toString()]);
}

function requirePrintable(value: string, maxChars: i32): void {
  const length = value.length;
  assert(length <= maxChars, METADATA_INVALID);
  const from = changetype<usize>(value);
  let bad: u32 = 0;
  for (let i = 0; i < length; i++) {
    // Above 94 for all but 0x20 to 0x7e
    bad |= u32(<u32>load<u16>(from + (i << 1)) - 0x20 > 94);
  }
  assert(bad == 0, METADATA_INVALID);
}

/** Pays what audits vested. */
export function _claimRewards(call: Call): void {
  const node = StorageNode.load(call.caller, call.state);
  const amount = node.pendingRewards;
  assert(amount > 0, NOTHING_TO_CLAIM);
  node.pendingRewards = 0;
  call.state.owed -= amount;
  node.save();
  emit('REWARDS_CLAIMED', [node.address, amount.toString()]);
}
