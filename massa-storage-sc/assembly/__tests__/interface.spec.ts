import { Address, mockScCall } from '@massalabs/massa-as-sdk';
import { Args } from '@massalabs/as-types';
import { IStorageRegistry, StorageNode } from '..';

describe('IStorageRegistry', () => {
  test('reads answers of the registry', () => {
    const registry = new IStorageRegistry(new Address('AS1'));
    mockScCall(new Args().add(<u64>7).serialize());
    expect(registry.getTotalNodes()).toBe(7);
    mockScCall(new Args().add(true).serialize());
    expect(registry.isChallenger('AU1')).toBe(true);
    mockScCall(new StorageNode('AU1').encode());
    expect(registry.getNodeInfo('AU1').nextString().unwrap()).toBe('AU1');
  });

  test('sends every call', () => {
    const registry = new IStorageRegistry(new Address('AS1'));
    for (let i = 0; i < 14; i++) mockScCall([]);
    registry.registerStorageNode(1, 10);
    registry.updateStorageAllocation(2);
    registry.unregisterStorageNode();
    registry.topUpStake(1);
    registry.fundRewards(1);
    registry.issueChallenge('c', 'AU1', 'ab', 1, [], 1);
    registry.submitProof('c', [1], [2]);
    registry.resolveExpiredChallenges(['c']);
    registry.distributeRewards(1, 1);
    registry.claimRewards();
    expect(registry.getChallenge('c').serialize().length).toBe(0);
    expect(registry.getPeriodStats(1).serialize().length).toBe(0);
    expect(registry.getConfig().serialize().length).toBe(0);
    expect(registry.getEra(1).serialize().length).toBe(0);
  });
});
