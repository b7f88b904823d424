import {
  accrue,
  calculateReward,
  computeReplicas,
  computeRequiredStake,
  returnToPool,
  settle,
} from '../internals/accrual';
import { RegistryState } from '../structs/RegistryState';
import { StorageConfig } from '../structs/StorageConfig';
import { StorageNode } from '../structs/StorageNode';

const MAS: u64 = 1_000_000_000;

function newConfig(): StorageConfig {
  const config = new StorageConfig();
  config.rewardPerGbPerPeriod = 1_000_000;
  config.minAllocatedGb = 1;
  config.maxAllocatedGb = 1000;
  config.minStake = 10 * MAS;
  return config;
}

function newState(weight: u64, pool: u64): RegistryState {
  const state = new RegistryState();
  state.accruedPeriod = 100;
  state.weight = weight;
  state.placementTotal = weight;
  state.activeNodes = 3;
  state.pool = pool;
  return state;
}

describe('accrual', () => {
  test('pays rate x GB x periods, as the walkthrough of the seed', () => {
    const state = newState(1, MAS);
    const node = new StorageNode('a');
    node.weightGb = 1;
    accrue(state, newConfig(), 125);
    settle(state, node);
    expect(node.unvested).toBe(25_000_000);
    expect(state.owed).toBe(25_000_000);
    expect(state.pool).toBe(MAS - 25_000_000);
    expect(state.accruedSince).toBe(25_000_000);
    expect(state.shortSince).toBe(false);
  });

  test('gives the same index in one step or in many', () => {
    const config = newConfig();
    config.maxRewardPerPeriod = 1_000_000_007;
    const once = newState(7777, 1000 * MAS);
    const often = newState(7777, 1000 * MAS);
    accrue(once, config, 400);
    for (let now: u64 = 101; now <= 400; now++) accrue(often, config, now);
    expect(often.index).toBe(once.index);
    expect(often.idxRem).toBe(once.idxRem);
    expect(often.pool).toBe(once.pool);
  });

  test('pays no more than the pool holds, and says so', () => {
    const state = newState(10, 95);
    accrue(state, newConfig(), 101);
    expect(state.index).toBe(9);
    expect(state.pool).toBe(5);
    expect(state.owed).toBe(90);
    expect(state.shortSince).toBe(true);
    expect(state.idxRem).toBe(0);
  });

  test('never pays a paused span, nor one without weight', () => {
    const paused = newState(10, MAS);
    paused.paused = true;
    accrue(paused, newConfig(), 200);
    paused.paused = false;
    accrue(paused, newConfig(), 200);
    expect(paused.index).toBe(0);
    const empty = newState(0, MAS);
    accrue(empty, newConfig(), 200);
    expect(empty.index).toBe(0);
    expect(empty.accruedPeriod).toBe(200);
  });

  test('does not wrap at the highest rate over the longest span', () => {
    const config = newConfig();
    config.rewardPerGbPerPeriod = 10_000_000_000;
    const state = newState(1, 1_000_000_000 * MAS);
    accrue(state, config, 10_000_000_000);
    expect(state.pool).toBe(0);
    expect(state.index).toBe(1_000_000_000 * MAS);
    expect(state.shortSince).toBe(true);
  });

  test('bounds what all nodes get in a period', () => {
    const config = newConfig();
    config.maxRewardPerPeriod = 1_000_000;
    const state = newState(100, MAS);
    accrue(state, config, 101);
    expect(state.owed).toBe(1_000_000);
  });

  test('pays nothing with anchors required and none there', () => {
    const config = newConfig();
    config.requireAnchors = true;
    const state = newState(100, MAS);
    accrue(state, config, 200);
    expect(state.owed).toBe(0);
  });

  test('pays for the share that anchored history fills', () => {
    const config = newConfig();
    config.requireAnchors = true;
    const state = newState(100, MAS);
    state.anchoredBytes = 10_000_000_000;
    // 3 copies of 10 GB in 100 GB: 30 %
    accrue(state, config, 101);
    expect(state.owed).toBe(30_000_000);
  });
});

describe('copies', () => {
  test('are bounded by config, nodes and room, and at least 1', () => {
    const config = newConfig();
    const state = newState(100, 0);
    expect(computeReplicas(state, config)).toBe(3);
    state.activeNodes = 2;
    expect(computeReplicas(state, config)).toBe(2);
    state.activeNodes = 0;
    expect(computeReplicas(state, config)).toBe(1);
    state.activeNodes = 50;
    state.anchoredBytes = 40_000_000_000;
    expect(computeReplicas(state, config)).toBe(2);
    state.anchoredBytes = 40_000_000_001;
    expect(computeReplicas(state, config)).toBe(1);
    state.anchoredBytes = 1_000_000_000_000;
    expect(computeReplicas(state, config)).toBe(1);
  });
});

describe('rewards', () => {
  test('vest by the share passed', () => {
    expect(calculateReward(25_000_000, 1, 1)).toBe(25_000_000);
    expect(calculateReward(100, 2, 3)).toBe(66);
    expect(calculateReward(100, 0, 3)).toBe(0);
    expect(calculateReward(u64.MAX_VALUE, 8, 8)).toBe(u64.MAX_VALUE);
  });

  test('are nothing for a node that was never challenged', () => {
    expect(calculateReward(25_000_000, 0, 0)).toBe(0);
  });

  test('go back to the pool when not vested', () => {
    const state = newState(1, 5);
    state.owed = 10;
    returnToPool(state, 4);
    expect(state.owed).toBe(6);
    expect(state.pool).toBe(9);
    expect(state.returnedSince).toBe(4);
  });
});

describe('required stake', () => {
  test('is the larger of minimum and price of the GB', () => {
    const config = newConfig();
    config.stakePerGb = MAS;
    expect(computeRequiredStake(config, 1)).toBe(10 * MAS);
    expect(computeRequiredStake(config, 11)).toBe(11 * MAS);
  });
});
