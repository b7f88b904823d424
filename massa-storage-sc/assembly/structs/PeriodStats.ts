import { ByteReader, ByteWriter } from '../codec';
import {
  hasRecord,
  readRecord,
  rewriteRecord,
  writeRecord,
} from '../datastore';
import { PERIOD_UNKNOWN } from '../errors';
import { periodKey } from '../storage-keys';
import { RECORD_VERSION, readVersion } from './version';

const RECORD_BYTES = 64;
const ENCODED_BYTES = 56;

/** What happened in one period; the seed's fields first. */
export class PeriodStats {
  period: u64;
  /** Sum of weightGb when the record was last touched in its period */
  totalGbStored: u64 = 0;
  /** nanoMAS set aside since the distribution before */
  totalRewardsDistributed: u64 = 0;
  activeNodes: u64 = 0;
  challengesIssued: u64 = 0;
  challengesPassed: u64 = 0;
  /** nanoMAS that failed audits gave back to the pool in the same span */
  rewardsReturned: u64 = 0;

  constructor(period: u64) {
    this.period = period;
  }

  static exists(period: u64): bool {
    return hasRecord(periodKey(period));
  }

  /** Refuses with REGISTRY_PERIOD_UNKNOWN. */
  static load(period: u64): PeriodStats {
    const key = periodKey(period);
    assert(hasRecord(key), PERIOD_UNKNOWN);
    return PeriodStats.deserialize(readRecord(key));
  }

  save(): void {
    rewriteRecord(periodKey(this.period), this.serialize());
  }

  create(): void {
    writeRecord(periodKey(this.period), this.serialize());
  }

  static deserialize(bytes: StaticArray<u8>): PeriodStats {
    const reader = new ByteReader(bytes);
    readVersion(reader);
    const stats = new PeriodStats(reader.u64());
    stats.totalGbStored = reader.u64();
    stats.totalRewardsDistributed = reader.u64();
    stats.activeNodes = reader.u64();
    stats.challengesIssued = reader.u64();
    stats.challengesPassed = reader.u64();
    stats.rewardsReturned = reader.u64();
    return stats;
  }

  /** The stored record. */
  serialize(): StaticArray<u8> {
    const writer = new ByteWriter(RECORD_BYTES).u8(RECORD_VERSION);
    this.write(writer);
    return writer.bytes;
  }

  /** What views return. */
  encode(): StaticArray<u8> {
    const writer = new ByteWriter(ENCODED_BYTES);
    this.write(writer);
    return writer.bytes;
  }

  private write(writer: ByteWriter): void {
    writer
      .u64(this.period)
      .u64(this.totalGbStored)
      .u64(this.totalRewardsDistributed)
      .u64(this.activeNodes)
      .u64(this.challengesIssued)
      .u64(this.challengesPassed)
      .u64(this.rewardsReturned);
  }
}
