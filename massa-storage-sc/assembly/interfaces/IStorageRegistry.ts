import { Address, call } from '@massalabs/massa-as-sdk';
import { Args, Result, bytesToU32, bytesToU64 } from '@massalabs/as-types';
import { StorageConfig } from '../structs/StorageConfig';

/**
 * The registry as another contract calls it: names and argument order are the contract's own.
 *
 * The caller is the contract, never the user behind it. A node must be a user (REGISTRY_CALLER_NOT_USER), so what only
 * a node may do is left out: registerStorageNode, updateStorageAllocation, unregisterStorageNode, topUpStake,
 * updateNodeMetadata, claimRewards. A proof carries its node's signature, and anybody may hand it in; a challenger and
 * the admin may be contracts.
 *
 * `coins` are taken from the calling contract; what a call leaves of them, and what it frees, comes back to it. A refusal
 * aborts the whole operation with a message that begins with a code of ../errors.ts. Results are returned as the bytes
 * that the views give, except single numbers.
 */
export class IStorageRegistry {
  constructor(readonly origin: Address) {}

  // --- anyone ---

  fundRewards(coins: u64): void {
    this.send('fundRewards', new Args(), coins);
  }

  distributeRewards(period: u64, coins: u64): void {
    this.send('distributeRewards', new Args().add(period), coins);
  }

  submitProof(
    challengeId: string,
    merkleProof: StaticArray<u8>,
    signature: StaticArray<u8>,
  ): void {
    const args = new Args().add(challengeId).add(merkleProof).add(signature);
    this.send('submitProof', args, 0);
  }

  submitProofs(
    challengeIds: string[],
    merkleProofs: StaticArray<u8>[],
    signatures: StaticArray<u8>[],
  ): void {
    const args = new Args()
      .add(challengeIds)
      .add(joinByteStrings(merkleProofs))
      .add(joinByteStrings(signatures));
    this.send('submitProofs', args, 0);
  }

  resolveExpiredChallenges(challengeIds: string[]): void {
    this.send('resolveExpiredChallenges', new Args().add(challengeIds), 0);
  }

  /**
   * @param root - 32 bytes
   * @param placementRoot - 32 bytes, of the placement of era + 1
   * @param signatures - `<key>:<signature>` each, ascending by registry index
   */
  anchorEra(
    era: u64,
    root: StaticArray<u8>,
    totalBytes: u64,
    totalChunks: u64,
    placementRoot: StaticArray<u8>,
    signatures: StaticArray<u8>[],
    coins: u64,
  ): void {
    const args = new Args()
      .add(era)
      .add(root)
      .add(totalBytes)
      .add(totalChunks)
      .add(placementRoot)
      .add(joinByteStrings(signatures));
    this.send('anchorEra', args, coins);
  }

  /** @param kind - 0 challenge, 1 period, 2 vote */
  prune(kind: u8, ids: string[]): void {
    this.send('prune', new Args().add(kind).add(ids), 0);
  }

  // --- challengers ---

  /** @param evidence - empty where the registry does not require anchors */
  issueChallenge(
    challengeId: string,
    nodeAddress: string,
    chunkId: string,
    nonce: u64,
    evidence: StaticArray<u8>,
    coins: u64,
  ): void {
    const args = new Args()
      .add(challengeId)
      .add(nodeAddress)
      .add(chunkId)
      .add(nonce)
      .add(evidence);
    this.send('issueChallenge', args, coins);
  }

  /** @param evidences - as many as challenges, or none where the registry does not require anchors */
  issueChallenges(
    challengeIds: string[],
    nodeAddress: string,
    chunkIds: string[],
    nonces: u64[],
    evidences: StaticArray<u8>[],
    coins: u64,
  ): void {
    const args = new Args()
      .add(challengeIds)
      .add(nodeAddress)
      .add(chunkIds)
      .add(nonces)
      .add(joinByteStrings(evidences));
    this.send('issueChallenges', args, coins);
  }

  // --- admin ---

  updateConfig(config: StorageConfig, coins: u64): void {
    this.send('updateConfig', new Args(config.serialize()), coins);
  }

  upgrade(bytecode: StaticArray<u8>, coins: u64): void {
    this.send('upgrade', new Args().add(bytecode), coins);
  }

  addChallenger(address: string, coins: u64): void {
    this.send('addChallenger', new Args().add(address), coins);
  }

  removeChallenger(address: string): void {
    this.send('removeChallenger', new Args().add(address), 0);
  }

  setPaused(paused: bool): void {
    this.send('setPaused', new Args().add(paused), 0);
  }

  transferAdmin(address: string, coins: u64): void {
    this.send('transferAdmin', new Args().add(address), coins);
  }

  /** Whoever `transferAdmin` named. */
  acceptAdmin(coins: u64): void {
    this.send('acceptAdmin', new Args(), coins);
  }

  // --- views ---

  /** @returns Args of StorageNode */
  getNodeInfo(address: string): Args {
    return new Args(this.send('getNodeInfo', new Args().add(address), 0));
  }

  /** @returns Args of registryVersion, total, StorageNode[]; limit is 1 to 50 */
  getNodes(offset: u64, limit: u32): Args {
    const args = new Args().add(offset).add(limit);
    return new Args(this.send('getNodes', args, 0));
  }

  /** @returns Args of fromEra, current and previous metadata */
  getNodeMetadata(address: string): Args {
    return new Args(this.send('getNodeMetadata', new Args().add(address), 0));
  }

  /** @returns Args of Challenge */
  getChallenge(challengeId: string): Args {
    return new Args(this.send('getChallenge', new Args().add(challengeId), 0));
  }

  /** @returns Args of PeriodStats */
  getPeriodStats(period: u64): Args {
    return new Args(this.send('getPeriodStats', new Args().add(period), 0));
  }

  /** @returns Args of StorageConfig */
  getConfig(): Args {
    return new Args(this.send('getConfig', new Args(), 0));
  }

  /** @returns Args of EraAnchor */
  getEra(era: u64): Args {
    return new Args(this.send('getEra', new Args().add(era), 0));
  }

  getTotalNodes(): u64 {
    return bytesToU64(this.send('getTotalNodes', new Args(), 0));
  }

  /** @returns the highest anchored; 2^64 - 1 = none */
  getLatestEra(): u64 {
    return bytesToU64(this.send('getLatestEra', new Args(), 0));
  }

  /** @returns nanoMAS not yet set aside */
  getRewardPool(): u64 {
    return bytesToU64(this.send('getRewardPool', new Args(), 0));
  }

  /** @returns nanoMAS */
  calculatePendingRewards(address: string): u64 {
    const args = new Args().add(address);
    return bytesToU64(this.send('calculatePendingRewards', args, 0));
  }

  isChallenger(address: string): bool {
    const args = new Args(
      this.send('isChallenger', new Args().add(address), 0),
    );
    const known: Result<bool> = args.nextBool();
    return known.expect('REGISTRY_ARGS_INVALID: not an answer of the registry');
  }

  getVersion(): u32 {
    return bytesToU32(this.send('getVersion', new Args(), 0));
  }

  private send(name: string, args: Args, coins: u64): StaticArray<u8> {
    return call(this.origin, name, args, coins);
  }
}

/** u32 length || bytes of each. */
function joinByteStrings(items: StaticArray<u8>[]): StaticArray<u8> {
  const list = new Args();
  for (let i = 0; i < items.length; i++) list.add(items[i]);
  return list.serialize();
}
