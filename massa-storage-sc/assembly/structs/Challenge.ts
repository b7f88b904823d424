import { ByteReader, ByteWriter, toHex } from '../codec';
import {
  hasRecord,
  readRecord,
  rewriteRecord,
  writeRecord,
} from '../datastore';
import { CHALLENGE_UNKNOWN } from '../errors';
import { challengeKey } from '../storage-keys';
import { RECORD_VERSION, readVersion } from './version';

const RECORD_BYTES = 176;
const ENCODED_BYTES = 4 * 4 + 64 + 8 * 3 + 2 + 4 + 1;
/** Longest id of a challenge. */
export const MAX_ID_CHARS = 64;

export const OUTCOME_OPEN: u8 = 0;
export const OUTCOME_PASSED: u8 = 1;
export const OUTCOME_FAILED: u8 = 2;
export const OUTCOME_EXPIRED: u8 = 3;
export const OUTCOME_VOID: u8 = 4;

/** One demand to show leaves of one chunk; the seed's fields first. */
export class Challenge {
  id: string;
  nodeAddress: string = '';
  /** 32 bytes */
  chunkId: StaticArray<u8> = [];
  nonce: u64 = 0;
  /** Part of what decides the leaves, so a reused id is another challenge */
  issuedPeriod: u64 = 0;
  /** Slot time, ms; a proof at the deadline is in time */
  deadline: u64 = 0;
  resolved: bool = false;
  passed: bool = false;
  issuer: string = '';
  samples: u32 = 0;
  outcome: u8 = OUTCOME_OPEN;

  constructor(id: string) {
    this.id = id;
  }

  /** An id that is too long for a key names no challenge. */
  static exists(id: string): bool {
    return id.length <= MAX_ID_CHARS && hasRecord(challengeKey(id));
  }

  /** Refuses with REGISTRY_CHALLENGE_UNKNOWN. */
  static load(id: string): Challenge {
    assert(Challenge.exists(id), CHALLENGE_UNKNOWN);
    return Challenge.deserialize(id, readRecord(challengeKey(id)));
  }

  save(): void {
    rewriteRecord(challengeKey(this.id), this.serialize());
  }

  create(): void {
    writeRecord(challengeKey(this.id), this.serialize());
  }

  static deserialize(id: string, bytes: StaticArray<u8>): Challenge {
    const reader = new ByteReader(bytes);
    readVersion(reader);
    const challenge = new Challenge(id);
    challenge.nodeAddress = reader.paddedAddress();
    challenge.chunkId = reader.raw(32);
    challenge.nonce = reader.u64();
    challenge.issuedPeriod = reader.u64();
    challenge.deadline = reader.u64();
    challenge.resolved = reader.bool();
    challenge.passed = reader.bool();
    challenge.issuer = reader.paddedAddress();
    challenge.samples = reader.u32();
    challenge.outcome = reader.u8();
    return challenge;
  }

  /** The stored record; the id is in its key. */
  serialize(): StaticArray<u8> {
    return new ByteWriter(RECORD_BYTES)
      .u8(RECORD_VERSION)
      .paddedAddress(this.nodeAddress)
      .raw(this.chunkId)
      .u64(this.nonce)
      .u64(this.issuedPeriod)
      .u64(this.deadline)
      .bool(this.resolved)
      .bool(this.passed)
      .paddedAddress(this.issuer)
      .u32(this.samples)
      .u8(this.outcome).bytes;
  }

  /** What views return. */
  encode(): StaticArray<u8> {
    const chars = this.id.length + this.nodeAddress.length + this.issuer.length;
    return new ByteWriter(ENCODED_BYTES + chars)
      .text(this.id)
      .text(this.nodeAddress)
      .text(toHex(this.chunkId, 32))
      .u64(this.nonce)
      .u64(this.issuedPeriod)
      .u64(this.deadline)
      .bool(this.resolved)
      .bool(this.passed)
      .text(this.issuer)
      .u32(this.samples)
      .u8(this.outcome).bytes;
  }
}
