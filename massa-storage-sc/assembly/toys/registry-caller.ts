import { Address } from '@massalabs/massa-as-sdk';
import { Args, u32ToBytes, u64ToBytes } from '@massalabs/as-types';
import { ByteReader } from '../codec';
import { ARGS_INVALID } from '../errors';
import { IStorageRegistry } from '../interfaces/IStorageRegistry';
import { StorageConfig } from '../structs/StorageConfig';

/*
 * A contract that makes every call of IStorageRegistry: its arguments are the registry's address and those of the
 * method, in its order. For tests of the interface only; never shipped.
 */

class Order {
  readonly registry: IStorageRegistry;
  private readonly args: Args;

  constructor(binaryArgs: StaticArray<u8>) {
    const args = new Args(binaryArgs);
    const address = args.nextString().expect(ARGS_INVALID);
    this.args = args;
    this.registry = new IStorageRegistry(new Address(address));
  }

  text(): string {
    return this.args.nextString().expect(ARGS_INVALID);
  }

  texts(): string[] {
    return this.args.nextStringArray().expect(ARGS_INVALID);
  }

  u64(): u64 {
    return this.args.nextU64().expect(ARGS_INVALID);
  }

  u64s(): u64[] {
    return this.args.nextFixedSizeArray<u64>().expect(ARGS_INVALID);
  }

  u32(): u32 {
    return this.args.nextU32().expect(ARGS_INVALID);
  }

  u8(): u8 {
    return this.args.nextU8().expect(ARGS_INVALID);
  }

  bool(): bool {
    return this.args.nextBool().expect(ARGS_INVALID);
  }

  bytes(): StaticArray<u8> {
    return this.args.nextBytes().expect(ARGS_INVALID);
  }

  byteStrings(): StaticArray<u8>[] {
    const list = new ByteReader(this.bytes());
    const items = new Array<StaticArray<u8>>();
    while (list.hasNext()) items.push(list.byteString());
    return items;
  }
}

export function fundRewards(binaryArgs: StaticArray<u8>): void {
  const order = new Order(binaryArgs);
  order.registry.fundRewards(order.u64());
}

export function distributeRewards(binaryArgs: StaticArray<u8>): void {
  const order = new Order(binaryArgs);
  order.registry.distributeRewards(order.u64(), order.u64());
}

export function submitProof(binaryArgs: StaticArray<u8>): void {
  const order = new Order(binaryArgs);
  order.registry.submitProof(order.text(), order.bytes(), order.bytes());
}

export function submitProofs(binaryArgs: StaticArray<u8>): void {
  const order = new Order(binaryArgs);
  order.registry.submitProofs(
    order.texts(),
    order.byteStrings(),
    order.byteStrings(),
  );
}

export function resolveExpiredChallenges(binaryArgs: StaticArray<u8>): void {
  const order = new Order(binaryArgs);
  order.registry.resolveExpiredChallenges(order.texts());
}

export function anchorEra(binaryArgs: StaticArray<u8>): void {
  const order = new Order(binaryArgs);
  order.registry.anchorEra(
    order.u64(),
    order.bytes(),
    order.u64(),
    order.u64(),
    order.bytes(),
    order.byteStrings(),
    order.u64(),
  );
}

export function prune(binaryArgs: StaticArray<u8>): void {
  const order = new Order(binaryArgs);
  order.registry.prune(order.u8(), order.texts());
}

export function issueChallenge(binaryArgs: StaticArray<u8>): void {
  const order = new Order(binaryArgs);
  order.registry.issueChallenge(
    order.text(),
    order.text(),
    order.text(),
    order.u64(),
    order.bytes(),
    order.u64(),
  );
}

export function issueChallenges(binaryArgs: StaticArray<u8>): void {
  const order = new Order(binaryArgs);
  order.registry.issueChallenges(
    order.texts(),
    order.text(),
    order.texts(),
    order.u64s(),
    order.byteStrings(),
    order.u64(),
  );
}

export function updateConfig(binaryArgs: StaticArray<u8>): void {
  const order = new Order(binaryArgs);
  const config = new StorageConfig();
  config.update(new ByteReader(order.bytes()));
  order.registry.updateConfig(config, order.u64());
}

export function upgrade(binaryArgs: StaticArray<u8>): void {
  const order = new Order(binaryArgs);
  order.registry.upgrade(order.bytes(), order.u64());
}

export function addChallenger(binaryArgs: StaticArray<u8>): void {
  const order = new Order(binaryArgs);
  order.registry.addChallenger(order.text(), order.u64());
}

export function removeChallenger(binaryArgs: StaticArray<u8>): void {
  const order = new Order(binaryArgs);
  order.registry.removeChallenger(order.text());
}

export function setPaused(binaryArgs: StaticArray<u8>): void {
  const order = new Order(binaryArgs);
  order.registry.setPaused(order.bool());
}

export function transferAdmin(binaryArgs: StaticArray<u8>): void {
  const order = new Order(binaryArgs);
  order.registry.transferAdmin(order.text(), order.u64());
}

export function acceptAdmin(binaryArgs: StaticArray<u8>): void {
  const order = new Order(binaryArgs);
  order.registry.acceptAdmin(order.u64());
}

export function getNodeInfo(binaryArgs: StaticArray<u8>): StaticArray<u8> {
  const order = new Order(binaryArgs);
  return order.registry.getNodeInfo(order.text()).serialize();
}

export function getNodes(binaryArgs: StaticArray<u8>): StaticArray<u8> {
  const order = new Order(binaryArgs);
  return order.registry.getNodes(order.u64(), order.u32()).serialize();
}

export function getNodeMetadata(binaryArgs: StaticArray<u8>): StaticArray<u8> {
  const order = new Order(binaryArgs);
  return order.registry.getNodeMetadata(order.text()).serialize();
}

export function getChallenge(binaryArgs: StaticArray<u8>): StaticArray<u8> {
  const order = new Order(binaryArgs);
  return order.registry.getChallenge(order.text()).serialize();
}

export function getPeriodStats(binaryArgs: StaticArray<u8>): StaticArray<u8> {
  const order = new Order(binaryArgs);
  return order.registry.getPeriodStats(order.u64()).serialize();
}

export function getConfig(binaryArgs: StaticArray<u8>): StaticArray<u8> {
  return new Order(binaryArgs).registry.getConfig().serialize();
}

export function getEra(binaryArgs: StaticArray<u8>): StaticArray<u8> {
  const order = new Order(binaryArgs);
  return order.registry.getEra(order.u64()).serialize();
}

export function getTotalNodes(binaryArgs: StaticArray<u8>): StaticArray<u8> {
  return u64ToBytes(new Order(binaryArgs).registry.getTotalNodes());
}

export function getLatestEra(binaryArgs: StaticArray<u8>): StaticArray<u8> {
  return u64ToBytes(new Order(binaryArgs).registry.getLatestEra());
}

export function getRewardPool(binaryArgs: StaticArray<u8>): StaticArray<u8> {
  return u64ToBytes(new Order(binaryArgs).registry.getRewardPool());
}

export function calculatePendingRewards(
  binaryArgs: StaticArray<u8>,
): StaticArray<u8> {
  const order = new Order(binaryArgs);
  return u64ToBytes(order.registry.calculatePendingRewards(order.text()));
}

export function isChallenger(binaryArgs: StaticArray<u8>): StaticArray<u8> {
  const order = new Order(binaryArgs);
  const known = order.registry.isChallenger(order.text());
  return new Args().add(known).serialize();
}

export function getVersion(binaryArgs: StaticArray<u8>): StaticArray<u8> {
  return u32ToBytes(new Order(binaryArgs).registry.getVersion());
}
