import { Address, call } from '@massalabs/massa-as-sdk';
import { Args, Result, bytesToU64 } from '@massalabs/as-types';

/**
 * The registry as another contract calls it: names and argument order are the contract's own.
 *
 * A refusal aborts the whole operation with a message that begins with a code of ../errors.ts. Results are returned
 * as the bytes that the views give, except single numbers.
 */
export class IStorageRegistry {
  constructor(readonly origin: Address) {}

  registerStorageNode(allocatedGb: u64, coins: u64): void {
    this.send('registerStorageNode', new Args().add(allocatedGb), coins);
  }

  updateStorageAllocation(newAllocatedGb: u64): void {
    this.send('updateStorageAllocation', new Args().add(newAllocatedGb), 0);
  }

  unregisterStorageNode(): void {
    this.send('unregisterStorageNode', new Args(), 0);
  }

  topUpStake(coins: u64): void {
    this.send('topUpStake', new Args(), coins);
  }

  fundRewards(coins: u64): void {
    this.send('fundRewards', new Args(), coins);
  }

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

  submitProof(
    challengeId: string,
    merkleProof: StaticArray<u8>,
    signature: StaticArray<u8>,
  ): void {
    const args = new Args().add(challengeId).add(merkleProof).add(signature);
    this.send('submitProof', args, 0);
  }

  resolveExpiredChallenges(challengeIds: string[]): void {
    this.send('resolveExpiredChallenges', new Args().add(challengeIds), 0);
  }

  distributeRewards(period: u64, coins: u64): void {
    this.send('distributeRewards', new Args().add(period), coins);
  }

  claimRewards(): void {
    this.send('claimRewards', new Args(), 0);
  }

  /** @returns Args of StorageNode */
  getNodeInfo(address: string): Args {
    return new Args(this.send('getNodeInfo', new Args().add(address), 0));
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

  getLatestEra(): u64 {
    return bytesToU64(this.send('getLatestEra', new Args(), 0));
  }

  getRewardPool(): u64 {
    return bytesToU64(this.send('getRewardPool', new Args(), 0));
  }

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

  private send(name: string, args: Args, coins: u64): StaticArray<u8> {
    return call(this.origin, name, args, coins);
  }
}
