import {
  AMOUNT_ZERO,
  PAUSED,
  PERIOD_DISTRIBUTED,
  PERIOD_NOT_OVER,
} from '../errors';
import { PeriodStats } from '../structs/PeriodStats';
import { Call } from './call';
import { emit } from './events';

/** Writes down, for a period that is over, what was set aside since the distribution before. */
export function _distributeRewards(call: Call, period: u64): void {
  const state = call.state;
  assert(!state.paused, PAUSED);
  assert(period > state.lastDistributedPeriod, PERIOD_DISTRIBUTED);
  assert(period < call.period, PERIOD_NOT_OVER);
  const known = PeriodStats.exists(period);
  const stats = known ? PeriodStats.load(period) : new PeriodStats(period);
  if (!known) {
    stats.totalGbStored = state.weight;
    stats.activeNodes = state.activeNodes;
  }
  const total = state.accruedSince;
  stats.totalRewardsDistributed = total;
  stats.rewardsReturned = state.returnedSince;
  stats.create();
  const short = state.shortSince;
  state.lastDistributedPeriod = period;
  state.accruedSince = 0;
  state.returnedSince = 0;
  state.shortSince = false;
  emit('REWARDS_DISTRIBUTED', [
    period.toString(),
    total.toString(),
    state.activeNodes.toString(),
  ]);
  if (short) emit('POOL_SHORT', [period.toString()]);
}

/** Takes the coins sent, and donations found, into the pool. */
export function _fundRewards(call: Call): void {
  const found = call.surplus > 0 ? <u64>call.surplus : 0;
  const amount = call.coins + found;
  assert(amount > 0, AMOUNT_ZERO);
  call.surplus -= found;
  call.state.pool += amount;
  emit('REWARDS_FUNDED', [amount.toString()]);
}
