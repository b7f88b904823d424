import {
  Storage,
  Address,
  balance,
  transferCoins,
} from '@massalabs/massa-as-sdk';
import { env } from '@massalabs/massa-as-sdk/assembly/env';
import { ByteReader, ByteWriter } from '../codec';
import { readRecord, writeRecord } from '../datastore';
import { COINS_SHORT, NODE_UNKNOWN, VERSION_UNKNOWN } from '../errors';
import { readParties } from '../internals/call';
import { nodeKey } from '../storage-keys';
import { RegistryState } from '../structs/RegistryState';
import { StorageNode } from '../structs/StorageNode';
import { RECORD_VERSION } from '../structs/version';

/*
 * What a next version would look like, as small as it can be: it reads the records of version 1, shows them converted,
 * and writes its own. For tests of the upgrade path only; never shipped.
 */

const VERSION_2: u8 = 2;
const ERA_PERIODS: u64 = 128;
/** version || retentionEras || region || the record of version 1 without its version */
const HEAD_BYTES = 1 + 8 + 4;

/** Retention in eras instead of periods, and a field that version 1 did not have. */
class NodeV2 {
  region: u32 = 0;
  retentionEras: u64 = 0;

  constructor(readonly base: StorageNode, readonly storedVersion: u8) {}

  static load(address: string): NodeV2 {
    const key = nodeKey(address);
    assert(Storage.has(key), NODE_UNKNOWN);
    const record = readRecord(key);
    return record[0] == RECORD_VERSION
      ? NodeV2.convert(StorageNode.deserialize(record))
      : NodeV2.deserialize(record);
  }

  private static convert(old: StorageNode): NodeV2 {
    const node = new NodeV2(old, RECORD_VERSION);
    node.retentionEras = (old.retentionPeriods + ERA_PERIODS - 1) / ERA_PERIODS;
    return node;
  }

  private static deserialize(record: StaticArray<u8>): NodeV2 {
    const reader = new ByteReader(record);
    assert(reader.u8() == VERSION_2, VERSION_UNKNOWN);
    const retentionEras = reader.u64();
    const region = reader.u32();
    const rest = reader.raw(record.length - HEAD_BYTES);
    const base = new ByteWriter(1 + rest.length).u8(RECORD_VERSION).raw(rest);
    const node = new NodeV2(StorageNode.deserialize(base.bytes), VERSION_2);
    node.retentionEras = retentionEras;
    node.region = region;
    return node;
  }

  save(): void {
    const base = this.base.serialize();
    const writer = new ByteWriter(HEAD_BYTES + base.length - 1)
      .u8(VERSION_2)
      .u64(this.retentionEras)
      .u32(this.region)
      .copy(changetype<usize>(base) + 1, base.length - 1);
    writeRecord(nodeKey(this.base.address), writer.bytes);
  }
}

/** @returns u32 */
export function getVersion(_: StaticArray<u8>): StaticArray<u8> {
  return new ByteWriter(4).u32(VERSION_2).bytes;
}

/** @param binaryArgs - address: string. @returns storedVersion: u8, retentionEras: u64, region: u32, StorageNode */
export function getNodeInfo(binaryArgs: StaticArray<u8>): StaticArray<u8> {
  const node = NodeV2.load(new ByteReader(binaryArgs).text());
  const base = node.base.encode();
  return new ByteWriter(HEAD_BYTES + base.length)
    .u8(node.storedVersion)
    .u64(node.retentionEras)
    .u32(node.region)
    .raw(base).bytes;
}

/** What the totals of version 1 say that the contract holds for others. @returns u64 */
export function getLiabilities(_: StaticArray<u8>): StaticArray<u8> {
  return new ByteWriter(8).u64(RegistryState.load().liabilities()).bytes;
}

/** Writes the caller's node as version 2; he pays for what it grows. @param binaryArgs - region: u32 */
export function setRegion(binaryArgs: StaticArray<u8>): void {
  const before = balance() - env.callCoins();
  const caller = readParties().caller;
  const node = NodeV2.load(caller);
  node.region = new ByteReader(binaryArgs).u32();
  node.save();
  const refund: i64 = balance() - before;
  assert(refund >= 0, COINS_SHORT);
  if (refund > 0) transferCoins(new Address(caller), refund);
}

/** Puts another code in place, as `upgrade` of version 1 does for its admin. @param binaryArgs - bytecode: bytes */
export function upgrade(binaryArgs: StaticArray<u8>): void {
  assert(
    readParties().caller == Storage.get('admin'),
    'REGISTRY_NOT_ADMIN: only the admin may do this',
  );
  env.setBytecode(new ByteReader(binaryArgs).byteString());
}
