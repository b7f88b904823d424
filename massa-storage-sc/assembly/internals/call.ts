import {
  Storage,
  balance,
  transferCoins,
  Address,
} from '@massalabs/massa-as-sdk';
import { env } from '@massalabs/massa-as-sdk/assembly/env';
import { hasRecord } from '../datastore';
import { COINS_SHORT, NOT_ADMIN, NOT_CREATED } from '../errors';
import { RegistryState } from '../structs/RegistryState';
import { StorageConfig } from '../structs/StorageConfig';
import { ADMIN_KEY, STATE_KEY, textKey } from '../storage-keys';
import { accrue, sampleEra } from './accrual';

/** Periods of an era. */
export const ERA_PERIODS: u64 = 128;

/** The last two addresses of the call stack. */
export class Parties {
  constructor(readonly caller: string, readonly callee: string) {}
}

/**
 * Who calls whom. The SDK parses the whole stack for each of the two, 276 k gas a time.
 *
 * The host answers `["AU...","AS..."]`; a call without a caller is made by the contract itself.
 */
export function readParties(): Parties {
  const stack = env.callStack();
  const end = stack.lastIndexOf('"');
  const start = stack.lastIndexOf('"', end - 1);
  const callee = stack.substring(start + 1, end);
  const callerEnd = stack.lastIndexOf('"', start - 1);
  if (callerEnd < 0) return new Parties(callee, callee);
  const callerStart = stack.lastIndexOf('"', callerEnd - 1);
  return new Parties(stack.substring(callerStart + 1, callerEnd), callee);
}

export function requireCreated(): void {
  assert(hasRecord(textKey(STATE_KEY)), NOT_CREATED);
}

/** What a view needs to know. */
export class Reading {
  readonly config: StorageConfig;
  readonly state: RegistryState;
  readonly period: u64;

  constructor() {
    requireCreated();
    this.config = StorageConfig.load();
    this.state = RegistryState.load();
    this.period = env.currentPeriod();
  }
}

/**
 * A writing call from its first look at the balance to its refund.
 *
 * Whatever the balance holds beyond stakes, owed and pool when the call begins (donations) it holds when the call
 * ends; the rest of the coins sent, freed storage and payouts go to the caller in one transfer.
 */
export class Call {
  readonly caller: string;
  readonly callee: string;
  readonly coins: u64;
  readonly period: u64;
  readonly era: u64;
  readonly config: StorageConfig;
  readonly state: RegistryState;
  /** nanoMAS that belong to nobody; i64 because a bug must not lock withdrawals */
  surplus: i64;

  constructor() {
    const reading = new Reading();
    const parties = readParties();
    this.caller = parties.caller;
    this.callee = parties.callee;
    this.coins = env.callCoins();
    this.period = reading.period;
    this.era = reading.period / ERA_PERIODS;
    this.config = reading.config;
    this.state = reading.state;
    this.surplus = balance() - this.coins - this.state.liabilities();
    sampleEra(this.state, this.config, this.era);
    accrue(this.state, this.config, this.period);
  }

  requireAdmin(): void {
    assert(this.caller == Storage.get(ADMIN_KEY), NOT_ADMIN);
  }

  /** Stores the totals and settles coins; nothing may come after it. */
  finish(): void {
    this.state.save();
    const refund: i64 =
      balance() - this.state.liabilities() - <u64>this.surplus;
    assert(refund >= 0, COINS_SHORT);
    if (refund > 0) transferCoins(new Address(this.caller), refund);
  }
}
