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
});
