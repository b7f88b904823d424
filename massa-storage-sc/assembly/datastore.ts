import { Storage, balance } from '@massalabs/massa-as-sdk';
import { COINS_SHORT } from './errors';

/** nanoMAS that the chain takes per stored byte from the contract's balance, and gives back when the byte goes. */
const BYTE_PRICE: u64 = 100_000;
/** The chain counts 4 bytes for each entry beside key and value. */
const ENTRY_BYTES: u64 = 4;

export function hasRecord(key: StaticArray<u8>): bool {
  return Storage.has(key);
}

export function readRecord(key: StaticArray<u8>): StaticArray<u8> {
  return Storage.get(key);
}

/** Writes a record in place of one of the same size: costs no coins. */
export function rewriteRecord(
  key: StaticArray<u8>,
  value: StaticArray<u8>,
): void {
  Storage.set(key, value);
}

/** Writes a record that may be new or grow; what it costs is settled when the call ends. */
export function writeRecord(
  key: StaticArray<u8>,
  value: StaticArray<u8>,
): void {
  const before: u64 = Storage.has(key)
    ? <u64>Storage.get(key).length
    : 0 - ENTRY_BYTES - <u64>key.length;
  requireBytes(<i64>(<u64>value.length - before));
  Storage.set(key, value);
}

export function deleteRecord(key: StaticArray<u8>): void {
  Storage.del(key);
}

/** The chain would abort with a text of its own when the contract cannot pay for `bytes` more bytes. */
export function requireBytes(bytes: i64): void {
  if (bytes > 0) assert(balance() >= <u64>bytes * BYTE_PRICE, COINS_SHORT);
}
