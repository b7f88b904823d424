import {
  changeCallStack,
  mockAdminContext,
  mockBalance,
  mockCurrentSlot,
  mockTimestamp,
  mockTransferredCoins,
  resetStorage,
  setDeployContext,
} from '@massalabs/massa-as-sdk';
import { Args } from '@massalabs/as-types';
import {
  acceptAdmin,
  addChallenger,
  claimRewards,
  constructor,
  distributeRewards,
  fundRewards,
  getChallenge,
  getConfig,
  getNodeInfo,
  getNodes,
  getTotalNodes,
  isChallenger,
  issueChallenge,
  registerStorageNode,
  removeChallenger,
  resolveExpiredChallenges,
  setPaused,
  submitProof,
  topUpStake,
  transferAdmin,
  unregisterStorageNode,
  updateConfig,
  updateNodeMetadata,
  updateStorageAllocation,
} from '../contracts/storage-registry';
import { ByteReader } from '../codec';
import { StorageConfig } from '../structs/StorageConfig';

/*
 * Guards and one life of a node. The mock neither rolls back nor charges for storage: what depends on that is tested
 * on the shipped wasm.
 */

const ADMIN = 'AU12CzoKEASaeBHnxGLnHDG2u73dLzWWfgvW6bc4L1UfMA5Uc5Fg7';
/** The address that the mock derives from any key. */
const NODE = 'AU12UBnqTHDQALpocVBnkPNy7y5CndUJQTLutaVDDFgMJcq5kQiKq';
const OTHER = 'AU1aFiPAan1ucLZjS6iREznGYHHpTseRFAXEYvYsbCocU9RL64GW';
const CONTRACT = 'AS12BqZEQ6sByhRLyEuf0YbQmcF2PsDdkNNG1akBJu9XcjZA1eT';
const MAS: u64 = 1_000_000_000;
const CHUNK =
  '0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef';

function by(caller: string, coins: u64 = 0): void {
  changeCallStack(caller + ' , ' + CONTRACT);
  mockBalance(caller, 1_000_000 * MAS);
  mockTransferredCoins(coins);
}

function at(period: u64): void {
  mockCurrentSlot(period, 0);
  mockTimestamp(period * 16_000);
}

function newConfig(): StorageConfig {
  const config = new StorageConfig();
  config.rewardPerGbPerPeriod = 1_000_000;
  config.minAllocatedGb = 1;
  config.maxAllocatedGb = 100;
  config.challengeResponseTimeout = 60_000;
  config.slashPercentage = 10;
  config.minStake = 10 * MAS;
  config.strikesBeforeSlash = 1;
  return config;
}

function deploy(config: StorageConfig): void {
  at(10);
  setDeployContext(ADMIN);
  mockBalance(CONTRACT, 100 * MAS);
  const encoded = config.serialize();
  const args = new Args().add(ADMIN).serialize();
  constructor(StaticArray.concat<u8>(args, encoded));
  mockAdminContext(false);
}

function register(address: string, gb: u64): void {
  by(address, 11 * MAS);
  registerStorageNode(new Args().add(gb).serialize());
}

function challengeArgs(id: string, node: string): StaticArray<u8> {
  const nonce: u64 = 7;
  return new Args().add(id).add(node).add(CHUNK).add(nonce).serialize();
}

function nodeInfo(address: string): Args {
  return new Args(getNodeInfo(new Args().add(address).serialize()));
}

beforeEach(() => {
  resetStorage();
  deploy(newConfig());
});

describe('constructor', () => {
  test('stores the config', () => {
    const config = new StorageConfig();
    config.update(new ByteReader(getConfig([])));
    expect(config.minStake).toBe(10 * MAS);
    expect(config.unbondingPeriods).toBe(5400);
  });

  throws('runs once', () => {
    deploy(newConfig());
  });

  throws('is for a deployment only', () => {
    resetStorage();
    mockAdminContext(false);
    by(OTHER, MAS);
    const args = new Args().add(OTHER).serialize();
    constructor(StaticArray.concat<u8>(args, newConfig().serialize()));
  });

  throws('refuses a config out of bounds', () => {
    resetStorage();
    const config = newConfig();
    config.slashPercentage = 101;
    deploy(config);
  });
});

describe('nodes', () => {
  test('register and are listed', () => {
    register(NODE, 5);
    register(OTHER, 7);
    expect(getTotalNodes([])).toStrictEqual(new Args().add(<u64>2).serialize());
    const info = nodeInfo(OTHER);
    expect(info.nextString().unwrap()).toBe(OTHER);
    expect(info.nextU64().unwrap()).toBe(7);
    const page = new Args(
      getNodes(
        new Args()
          .add(<u64>1)
          .add(<u32>50)
          .serialize(),
      ),
    );
    expect(page.nextU64().unwrap()).toBe(2);
    expect(page.nextU64().unwrap()).toBe(2);
    page.nextU32().unwrap();
    expect(page.nextString().unwrap()).toBe(OTHER);
  });

  throws('do not register twice', () => {
    register(NODE, 5);
    register(NODE, 5);
  });

  throws('are not contracts', () => {
    register('AS12CzoKEASaeBHnxGLnHDG2u73dLzWWfgvW6bc4L1UfMA5Uc5Fg7', 5);
  });

  throws('allocate no less than the minimum', () => {
    register(NODE, 0);
  });

  throws('allocate no more than the maximum', () => {
    register(NODE, 101);
  });

  throws('pay their stake', () => {
    by(NODE, 10 * MAS - 1);
    registerStorageNode(new Args().add(<u64>5).serialize());
  });

  throws('do not register while paused', () => {
    by(ADMIN);
    setPaused(new Args().add(true).serialize());
    register(NODE, 5);
  });

  throws('refuse trailing bytes', () => {
    by(NODE, 11 * MAS);
    const args = new Args()
      .add(<u64>5)
      .add(<u64>0)
      .add(10 * MAS)
      .add(true);
    registerStorageNode(args.serialize());
  });

  test('change their allocation and stake', () => {
    register(NODE, 5);
    by(NODE);
    updateStorageAllocation(new Args().add(<u64>9).serialize());
    const info = nodeInfo(NODE);
    info.nextString().unwrap();
    expect(info.nextU64().unwrap()).toBe(9);
    by(NODE, MAS);
    topUpStake([]);
    by(NODE, MAS);
    updateNodeMetadata(
      new Args().add(['/dns/a']).add('e').add('l').add('o').serialize(),
    );
  });

  throws('cannot leave without being there', () => {
    by(NODE);
    unregisterStorageNode([]);
  });

  throws('wait for unbonding', () => {
    register(NODE, 5);
    by(NODE);
    unregisterStorageNode([]);
    at(5409);
    unregisterStorageNode([]);
  });

  test('are paid and forgotten after unbonding', () => {
    register(NODE, 5);
    by(NODE);
    unregisterStorageNode([]);
    at(5410);
    unregisterStorageNode([]);
    expect(getTotalNodes([])).toStrictEqual(new Args().add(<u64>0).serialize());
  });
});

describe('challenges', () => {
  beforeEach(() => {
    register(NODE, 5);
    by(ADMIN, MAS);
    addChallenger(new Args().add(ADMIN).serialize());
    at(20);
  });

  test('are recorded with deadline and issuer', () => {
    by(ADMIN, MAS);
    issueChallenge(challengeArgs('c-1', NODE));
    const record = new Args(getChallenge(new Args().add('c-1').serialize()));
    expect(record.nextString().unwrap()).toBe('c-1');
    expect(record.nextString().unwrap()).toBe(NODE);
    expect(record.nextString().unwrap()).toBe(CHUNK);
    expect(record.nextU64().unwrap()).toBe(7);
    expect(record.nextU64().unwrap()).toBe(20);
    expect(record.nextU64().unwrap()).toBe(20 * 16_000 + 60_000);
  });

  throws('come from challengers only', () => {
    by(OTHER, MAS);
    issueChallenge(challengeArgs('c-1', NODE));
  });

  throws('have an id of their own', () => {
    by(ADMIN, MAS);
    issueChallenge(challengeArgs('c-1', NODE));
    issueChallenge(challengeArgs('c-1', NODE));
  });

  throws('have no comma in their id', () => {
    by(ADMIN, MAS);
    issueChallenge(challengeArgs('c,1', NODE));
  });

  throws('are for registered nodes', () => {
    by(ADMIN, MAS);
    issueChallenge(challengeArgs('c-1', OTHER));
  });

  throws('keep their distance', () => {
    at(10);
    by(ADMIN, MAS);
    issueChallenge(challengeArgs('c-1', NODE));
    at(11);
    issueChallenge(challengeArgs('c-2', NODE));
  });

  throws('are one audit a period, also with an interval of 0', () => {
    const config = newConfig();
    config.minChallengeIntervalPeriods = 0;
    by(ADMIN, MAS);
    updateConfig(config.serialize());
    by(ADMIN, MAS);
    issueChallenge(challengeArgs('c-1', NODE));
    mockTimestamp(20 * 16_000 + 60_001);
    resolveExpiredChallenges(new Args().add(['c-1']).serialize());
    by(NODE, 10 * MAS);
    topUpStake([]);
    by(ADMIN, MAS);
    issueChallenge(challengeArgs('c-2', NODE));
  });

  test('are one audit a period, also with an interval of 0: the next is free', () => {
    const config = newConfig();
    config.minChallengeIntervalPeriods = 0;
    by(ADMIN, MAS);
    updateConfig(config.serialize());
    by(ADMIN, MAS);
    issueChallenge(challengeArgs('c-1', NODE));
    mockTimestamp(20 * 16_000 + 60_001);
    resolveExpiredChallenges(new Args().add(['c-1']).serialize());
    by(NODE, 10 * MAS);
    topUpStake([]);
    at(21);
    by(ADMIN, MAS);
    issueChallenge(challengeArgs('c-2', NODE));
    expect(getChallenge(new Args().add('c-2').serialize()).length > 0).toBe(
      true,
    );
  });

  test('are void when their issuer came again in their period', () => {
    by(ADMIN, MAS);
    issueChallenge(challengeArgs('c-1', NODE));
    removeChallenger(new Args().add(ADMIN).serialize());
    by(ADMIN, MAS);
    addChallenger(new Args().add(ADMIN).serialize());
    mockTimestamp(20 * 16_000 + 60_001);
    resolveExpiredChallenges(new Args().add(['c-1']).serialize());
    const info = nodeInfo(NODE);
    info.nextString().unwrap();
    for (let i = 0; i < 6; i++) info.nextU64().unwrap();
    expect(info.nextBool().unwrap()).toBe(true);
    expect(info.nextU64().unwrap()).toBe(10 * MAS);
  });

  throws('are not expired at their deadline', () => {
    by(ADMIN, MAS);
    issueChallenge(challengeArgs('c-1', NODE));
    mockTimestamp(20 * 16_000 + 60_000);
    resolveExpiredChallenges(new Args().add(['c-1']).serialize());
  });

  test('slash when they expire', () => {
    by(ADMIN, MAS);
    issueChallenge(challengeArgs('c-1', NODE));
    by(OTHER);
    mockTimestamp(20 * 16_000 + 60_001);
    resolveExpiredChallenges(new Args().add(['c-1']).serialize());
    const info = nodeInfo(NODE);
    info.nextString().unwrap();
    for (let i = 0; i < 6; i++) info.nextU64().unwrap();
    expect(info.nextBool().unwrap()).toBe(false);
    expect(info.nextU64().unwrap()).toBe(9 * MAS);
  });

  throws('take no proof after the deadline', () => {
    by(ADMIN, MAS);
    issueChallenge(challengeArgs('c-1', NODE));
    mockTimestamp(20 * 16_000 + 60_001);
    const nothing = new StaticArray<u8>(1);
    submitProof(new Args().add('c-1').add(nothing).add(nothing).serialize());
  });

  throws('take no proof of one byte', () => {
    by(ADMIN, MAS);
    issueChallenge(challengeArgs('c-1', NODE));
    const proof = new StaticArray<u8>(1);
    const signature = StaticArray.fromArray<u8>([80, 58, 49]);
    submitProof(new Args().add('c-1').add(proof).add(signature).serialize());
  });
});

describe('rewards', () => {
  throws('are not claimed without any', () => {
    register(NODE, 5);
    by(NODE);
    claimRewards([]);
  });

  throws('are not funded with nothing', () => {
    mockBalance(CONTRACT, 0);
    by(NODE);
    fundRewards([]);
    fundRewards([]);
  });

  throws('are not distributed for the current period', () => {
    by(NODE, MAS);
    distributeRewards(new Args().add(<u64>10).serialize());
  });

  throws('are distributed once', () => {
    by(NODE, MAS);
    distributeRewards(new Args().add(<u64>9).serialize());
    distributeRewards(new Args().add(<u64>9).serialize());
  });
});

describe('admin', () => {
  throws('alone changes the config', () => {
    by(OTHER);
    updateConfig(newConfig().serialize());
  });

  test('changes six fields and leaves the rest', () => {
    by(ADMIN);
    const config = newConfig();
    config.minStake = 11 * MAS;
    updateConfig(StaticArray.slice<u8>(config.serialize(), 0, 48));
    const stored = new StorageConfig();
    stored.update(new ByteReader(getConfig([])));
    expect(stored.minStake).toBe(11 * MAS);
    expect(stored.strikesBeforeSlash).toBe(1);
  });

  throws('cannot take anchors back', () => {
    const config = newConfig();
    config.requireAnchors = true;
    config.adminDelayPeriods = 10_000;
    by(ADMIN);
    updateConfig(config.serialize());
    config.requireAnchors = false;
    updateConfig(config.serialize());
  });

  test('names challengers', () => {
    by(ADMIN, MAS);
    addChallenger(new Args().add(OTHER).serialize());
    expect(isChallenger(new Args().add(OTHER).serialize())[0]).toBe(1);
    expect(isChallenger(new Args().add(NODE).serialize())[0]).toBe(0);
  });

  test('hands over in two steps', () => {
    by(ADMIN, MAS);
    transferAdmin(new Args().add(OTHER).serialize());
    by(OTHER, MAS);
    acceptAdmin([]);
    setPaused(new Args().add(true).serialize());
  });

  throws('is not who was not proposed', () => {
    by(ADMIN, MAS);
    transferAdmin(new Args().add(OTHER).serialize());
    by(NODE, MAS);
    acceptAdmin([]);
  });
});
