import { ByteReader, ByteWriter } from '../codec';
import { readRecord, writeRecord } from '../datastore';
import { CONFIG_KEY, textKey } from '../storage-keys';
import { RECORD_VERSION, readVersion } from './version';

const RECORD_BYTES = 192;
const ENCODED_BYTES = 141;

/**
 * What the admin decides. The seed's six fields first; the rest may be left out from the end, and then keep their
 * values (in the constructor: the defaults written here, those of a devnet).
 */
export class StorageConfig {
  /** nanoMAS */
  rewardPerGbPerPeriod: u64 = 0;
  minAllocatedGb: u64 = 0;
  maxAllocatedGb: u64 = 0;
  /** ms */
  challengeResponseTimeout: u64 = 0;
  /** Percent of the stake */
  slashPercentage: u64 = 0;
  /** nanoMAS */
  minStake: u64 = 0;
  samplesPerChallenge: u32 = 2;
  maxOpenChallengesPerNode: u32 = 8;
  strikesBeforeSlash: u32 = 5;
  strikeSpacingPeriods: u64 = 225;
  unbondingPeriods: u64 = 5_400;
  replicationFactor: u32 = 3;
  /** Share of the votes that anchors an era, millionths */
  anchorQuorumPpm: u32 = 666_667;
  /** Pay only for anchored history, challenge only with evidence. Never goes back to false. */
  requireAnchors: bool = false;
  maxNodes: u64 = 10_000;
  /** Points of a strike; a fully passed audit takes one back. */
  passesPerStrike: u32 = 20;
  minChallengeIntervalPeriods: u64 = 1;
  /** nanoMAS */
  stakePerGb: u64 = 0;
  /** nanoMAS, 0 = no bound */
  maxRewardPerPeriod: u64 = 0;
  placementLagEras: u32 = 1;
  recordRetentionPeriods: u64 = 5_400;
  /** Between the two calls of updateConfig and upgrade; 0 = one call does. Never falls. */
  adminDelayPeriods: u64 = 0;

  static load(): StorageConfig {
    const reader = new ByteReader(readRecord(textKey(CONFIG_KEY)));
    readVersion(reader);
    const config = new StorageConfig();
    config.readRequired(reader);
    config.readOptional(reader, false);
    return config;
  }

  save(): void {
    const writer = new ByteWriter(RECORD_BYTES).u8(RECORD_VERSION);
    this.write(writer);
    writeRecord(textKey(CONFIG_KEY), writer.bytes);
  }

  /** All 22 fields, as views return them. */
  serialize(): StaticArray<u8> {
    const writer = new ByteWriter(ENCODED_BYTES);
    this.write(writer);
    return writer.bytes;
  }

  copy(): StorageConfig {
    const copy = new StorageConfig();
    const reader = new ByteReader(this.serialize());
    copy.readRequired(reader);
    copy.readOptional(reader, false);
    return copy;
  }

  equals(other: StorageConfig): bool {
    const a = changetype<usize>(this.serialize());
    const b = changetype<usize>(other.serialize());
    return memory.compare(a, b, ENCODED_BYTES) == 0;
  }

  /** Takes fields from an argument of 6 to 22 fields; those left out keep their values. */
  update(reader: ByteReader): void {
    this.readRequired(reader);
    this.readOptional(reader, true);
  }

  private readRequired(reader: ByteReader): void {
    this.rewardPerGbPerPeriod = reader.u64();
    this.minAllocatedGb = reader.u64();
    this.maxAllocatedGb = reader.u64();
    this.challengeResponseTimeout = reader.u64();
    this.slashPercentage = reader.u64();
    this.minStake = reader.u64();
  }

  private readOptional(reader: ByteReader, mayEnd: bool): void {
    if (mayEnd && !reader.hasNext()) return;
    this.samplesPerChallenge = reader.u32();
    if (mayEnd && !reader.hasNext()) return;
    this.maxOpenChallengesPerNode = reader.u32();
    if (mayEnd && !reader.hasNext()) return;
    this.strikesBeforeSlash = reader.u32();
    if (mayEnd && !reader.hasNext()) return;
    this.strikeSpacingPeriods = reader.u64();
    if (mayEnd && !reader.hasNext()) return;
    this.unbondingPeriods = reader.u64();
    if (mayEnd && !reader.hasNext()) return;
    this.replicationFactor = reader.u32();
    if (mayEnd && !reader.hasNext()) return;
    this.anchorQuorumPpm = reader.u32();
    if (mayEnd && !reader.hasNext()) return;
    this.requireAnchors = reader.bool();
    if (mayEnd && !reader.hasNext()) return;
    this.maxNodes = reader.u64();
    if (mayEnd && !reader.hasNext()) return;
    this.passesPerStrike = reader.u32();
    if (mayEnd && !reader.hasNext()) return;
    this.minChallengeIntervalPeriods = reader.u64();
    if (mayEnd && !reader.hasNext()) return;
    this.stakePerGb = reader.u64();
    if (mayEnd && !reader.hasNext()) return;
    this.maxRewardPerPeriod = reader.u64();
    if (mayEnd && !reader.hasNext()) return;
    this.placementLagEras = reader.u32();
    if (mayEnd && !reader.hasNext()) return;
    this.recordRetentionPeriods = reader.u64();
    if (mayEnd && !reader.hasNext()) return;
    this.adminDelayPeriods = reader.u64();
  }

  private write(writer: ByteWriter): void {
    writer
      .u64(this.rewardPerGbPerPeriod)
      .u64(this.minAllocatedGb)
      .u64(this.maxAllocatedGb)
      .u64(this.challengeResponseTimeout)
      .u64(this.slashPercentage)
      .u64(this.minStake)
      .u32(this.samplesPerChallenge)
      .u32(this.maxOpenChallengesPerNode)
      .u32(this.strikesBeforeSlash)
      .u64(this.strikeSpacingPeriods)
      .u64(this.unbondingPeriods)
      .u32(this.replicationFactor)
      .u32(this.anchorQuorumPpm)
      .bool(this.requireAnchors)
      .u64(this.maxNodes)
      .u32(this.passesPerStrike)
      .u64(this.minChallengeIntervalPeriods)
      .u64(this.stakePerGb)
      .u64(this.maxRewardPerPeriod)
      .u32(this.placementLagEras)
      .u64(this.recordRetentionPeriods)
      .u64(this.adminDelayPeriods);
  }
}
