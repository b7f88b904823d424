import {
  Storage,
  Address,
  balance,
  setBytecode,
  transferCoins,
} from '@massalabs/massa-as-sdk';
import { env } from '@massalabs/massa-as-sdk/assembly/env';
import { stringToBytes, u64ToBytes } from '@massalabs/as-types';
import { ADDRESS_CHARS, ByteReader, ByteWriter, toHex } from '../codec';
import {
  deleteRecord,
  hasRecord,
  readRecord,
  requireBytes,
  writeRecord,
} from '../datastore';
import {
  ADDRESS_INVALID,
  CHALLENGER_KNOWN,
  CHALLENGER_UNKNOWN,
  CODE_INVALID,
  COINS_SHORT,
  NOT_PENDING_ADMIN,
  TOO_EARLY,
} from '../errors';
import { HASH_BYTES, sha256 } from '../merkle';
import {
  ADMIN_KEY,
  PENDING_ADMIN_KEY,
  PENDING_CODE_KEY,
  PENDING_CONFIG_KEY,
  TOTAL_NODES_KEY,
  challengerKey,
  textKey,
} from '../storage-keys';
import { Announcement } from '../structs/Announcement';
import { RegistryState } from '../structs/RegistryState';
import { StorageConfig } from '../structs/StorageConfig';
import { RECORD_VERSION } from '../structs/version';
import { switchToAnchors, takeSample } from './accrual';
import { Call, ERA_PERIODS } from './call';
import { checkConfig, checkConfigChange, emitConfigChanges } from './config';
import { emit, text } from './events';

/** How long an announced change may be applied, from the first period in which it may be. */
const APPLY_PERIODS: u64 = 5_400;
const PERIOD_MS: u64 = 16_000;
const THREAD_MS: u64 = 500;
/** 00 'asm', version 1, little endian. */
const WASM_HEAD: u64 = 0x0000_0001_6d73_6100;

/** The first call of all: there is no state to load yet, and all coins beyond storage go back to the deployer. */
export function _construct(
  caller: string,
  admin: string,
  config: StorageConfig,
): void {
  requireAddress(admin);
  checkConfig(config);
  const before = balance() - env.callCoins();
  const period = env.currentPeriod();
  const state = new RegistryState();
  state.accruedPeriod = period;
  state.firstEra = period / ERA_PERIODS + 1;
  state.genesisTimestamp =
    env.time() - PERIOD_MS * period - THREAD_MS * <u64>env.currentThread();
  takeSample(state, config, period / ERA_PERIODS);
  writeRecord(textKey(ADMIN_KEY), stringToBytes(admin));
  writeRecord(textKey(TOTAL_NODES_KEY), u64ToBytes(0));
  config.save();
  state.create();
  emit('REGISTRY_CREATED', [admin]);
  const refund: i64 = balance() - before;
  assert(refund >= 0, COINS_SHORT);
  if (refund > 0) transferCoins(new Address(caller), refund);
}

export function requireAddress(address: string): void {
  assert(
    address.length >= 1 &&
      address.length <= ADDRESS_CHARS &&
      env.validateAddress(address),
    ADDRESS_INVALID,
  );
}

/**
 * First call: announces. Second, identical, after the delay and not much later: may apply. Without a delay the first
 * may. What was announced and forgotten is no surprise later: it has to be announced anew.
 *
 * @returns whether to apply now
 */
function isDue(
  call: Call,
  what: string,
  pendingKey: string,
  hash: StaticArray<u8>,
): bool {
  const delay = call.config.adminDelayPeriods;
  const key = textKey(pendingKey);
  const known = hasRecord(key);
  if (delay > 0) {
    const announced = known
      ? Announcement.deserialize(readRecord(key))
      : new Announcement(hash, call.period);
    const due = announced.announcedPeriod + delay;
    const current = known && announced.isOf(hash);
    if (!current || call.period > due + APPLY_PERIODS) {
      writeRecord(key, new Announcement(hash, call.period).serialize());
      const from = call.period + delay;
      emit('ADMIN_ANNOUNCED', [what, toHex(hash, HASH_BYTES), from.toString()]);
      return false;
    }
    assert(call.period >= due, TOO_EARLY);
  }
  if (known) deleteRecord(key);
  return true;
}

export function _updateConfig(call: Call, binaryArgs: StaticArray<u8>): void {
  call.requireAdmin();
  const config = call.config.copy();
  const reader = new ByteReader(binaryArgs);
  config.update(reader);
  reader.end();
  checkConfig(config);
  checkConfigChange(call.config, config);
  if (config.equals(call.config)) {
    withdrawConfig(call);
    return;
  }
  if (!isDue(call, 'config', PENDING_CONFIG_KEY, sha256(binaryArgs))) return;
  config.save();
  if (config.requireAnchors && !call.config.requireAnchors) {
    switchToAnchors(call);
  }
  emitConfigChanges(call.config, config);
}

/** Settings that are in force already need no announcement, and take back the one that there is. */
function withdrawConfig(call: Call): void {
  const key = textKey(PENDING_CONFIG_KEY);
  if (!hasRecord(key)) return;
  const hash = Announcement.deserialize(readRecord(key)).hash;
  deleteRecord(key);
  emit('ADMIN_WITHDRAWN', ['config', toHex(hash, HASH_BYTES)]);
}

/** The chain stores whatever it is given; anything but wasm would lock every coin in here. */
function requireWasm(bytecode: StaticArray<u8>): void {
  assert(
    bytecode.length > 8 && load<u64>(changetype<usize>(bytecode)) == WASM_HEAD,
    CODE_INVALID,
  );
}

export function _upgrade(call: Call, bytecode: StaticArray<u8>): void {
  call.requireAdmin();
  requireWasm(bytecode);
  const hash = sha256(bytecode);
  if (!isDue(call, 'code', PENDING_CODE_KEY, hash)) return;
  requireBytes(<i64>bytecode.length - <i64>env.getBytecode().length);
  setBytecode(bytecode);
  emit('CODE_UPGRADED', [toHex(hash, HASH_BYTES)]);
}

export function _addChallenger(call: Call, address: string): void {
  call.requireAdmin();
  requireAddress(address);
  const key = challengerKey(address);
  assert(!hasRecord(key), CHALLENGER_KNOWN);
  writeRecord(key, new ByteWriter(9).u8(RECORD_VERSION).u64(call.period).bytes);
  call.state.challengerCount++;
  emit('CHALLENGER_ADDED', [address]);
}

export function _removeChallenger(call: Call, address: string): void {
  call.requireAdmin();
  requireAddress(address);
  const key = challengerKey(address);
  assert(hasRecord(key), CHALLENGER_UNKNOWN);
  deleteRecord(key);
  call.state.challengerCount--;
  emit('CHALLENGER_REMOVED', [address]);
}

/** The call has accrued up to now, so a paused span is exactly the one that is not paid. */
export function _setPaused(call: Call, paused: bool): void {
  call.requireAdmin();
  if (call.state.paused == paused) return;
  call.state.paused = paused;
  emit('PAUSED_SET', [text(paused)]);
}

/** A mistyped address loses nothing: the other side must accept. */
export function _transferAdmin(call: Call, address: string): void {
  call.requireAdmin();
  requireAddress(address);
  writeRecord(textKey(PENDING_ADMIN_KEY), stringToBytes(address));
  emit('ADMIN_PROPOSED', [address]);
}

export function _acceptAdmin(call: Call): void {
  const key = textKey(PENDING_ADMIN_KEY);
  assert(
    hasRecord(key) && Storage.get(PENDING_ADMIN_KEY) == call.caller,
    NOT_PENDING_ADMIN,
  );
  const old = Storage.get(ADMIN_KEY);
  deleteRecord(key);
  writeRecord(textKey(ADMIN_KEY), stringToBytes(call.caller));
  emit('ADMIN_CHANGED', [old, call.caller]);
}
