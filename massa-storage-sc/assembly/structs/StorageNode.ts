import { ByteReader, ByteWriter } from '../codec';
import {
  deleteRecord,
  hasRecord,
  readRecord,
  rewriteRecord,
  writeRecord,
} from '../datastore';
import { NODE_UNKNOWN } from '../errors';
import { nodeKey } from '../storage-keys';
import { NO_ERA, RegistryState } from './RegistryState';
import { RECORD_VERSION, readVersion, requireVersion } from './version';

const RECORD_BYTES = 384;
/** Everything but the two texts, as views return it. */
const ENCODED_BYTES = 4 + 4 + 234 + 9;
/** Where vote stands: after version, address, six u64, active and five u64. */
const VOTE_OFFSET: usize = 1 + 54 + 48 + 1 + 40;
/** Where index stands: after version, address, 218 bytes of numbers and lastChallenger. */
const INDEX_OFFSET: usize = 1 + 54 + 218 + 54;
/** Where movedEra stands: after index, slashedTotal and rules. */
const MOVED_ERA_OFFSET: usize = INDEX_OFFSET + 17;
/** lastStrikePeriod before the first strike. */
export const NO_STRIKE: u64 = u64.MAX_VALUE;
/** What a stake was judged by last: rules without anchors, or with them. */
export const RULES_FREE: u8 = 0;
export const RULES_ANCHORED: u8 = 1;

/** A storage provider; the seed's fields first. Amounts in nanoMAS. */
export class StorageNode {
  address: string;
  allocatedGb: u64 = 0;
  registeredPeriod: u64 = 0;
  totalChallenges: u64 = 0;
  passedChallenges: u64 = 0;
  /** Vested: what claimRewards pays */
  pendingRewards: u64 = 0;
  lastChallengedPeriod: u64 = 0;
  active: bool = false;
  stake: u64 = 0;
  /** Accrued since the last audit */
  unvested: u64 = 0;
  /** What the open audit decides about */
  underAudit: u64 = 0;
  /** Index up to which weightGb is settled */
  indexPaid: u64 = 0;
  /** What rewards count */
  weightGb: u64 = 0;
  /** What anchoring counts, nanoMAS; previousVote is its value at the start of voteEra. */
  vote: u64 = 0;
  voteEra: u64 = 0;
  previousVote: u64 = 0;
  /** Weight that begins with nextWeightEra; 0 = none */
  nextWeightGb: u64 = 0;
  nextWeightEra: u64 = 0;
  /** What placement counts */
  placementGb: u64 = 0;
  placementEra: u64 = 0;
  previousPlacementGb: u64 = 0;
  /** 0 = for ever */
  retentionPeriods: u64 = 0;
  retentionEra: u64 = 0;
  previousRetentionPeriods: u64 = 0;
  openChallenges: u32 = 0;
  auditPassed: u32 = 0;
  auditTotal: u32 = 0;
  auditPeriod: u64 = 0;
  strikePoints: u32 = 0;
  lastStrikePeriod: u64 = NO_STRIKE;
  leaving: bool = false;
  unlockPeriod: u64 = 0;
  /** Empty before the first challenge */
  lastChallenger: string = '';
  /** Place in the registry */
  index: u64 = 0;
  slashedTotal: u64 = 0;
  /** RULES_FREE or RULES_ANCHORED */
  rules: u8 = RULES_FREE;
  /** Era in which the node last took the place of another; 0 = never: nobody votes in era 0 */
  movedEra: u64 = 0;

  constructor(address: string) {
    this.address = address;
  }

  static exists(address: string): bool {
    return hasRecord(nodeKey(address));
  }

  /** The node as the switch to anchors left it. Refuses with REGISTRY_NODE_UNKNOWN. */
  static load(address: string, state: RegistryState): StorageNode {
    const node = StorageNode.read(address);
    node.applySwitch(state);
    return node;
  }

  /** The same for a view that may do without the totals: they are read only for a node of the old rules. */
  static show(address: string): StorageNode {
    const node = StorageNode.read(address);
    if (node.rules == RULES_FREE) node.applySwitch(RegistryState.load());
    return node;
  }

  private static read(address: string): StorageNode {
    const key = nodeKey(address);
    assert(hasRecord(key), NODE_UNKNOWN);
    return StorageNode.deserialize(readRecord(key));
  }

  /**
   * What a node made without anchors accrued up to the switch stays; its weight and placement ended with it. The switch
   * cannot write that into every record, so each reader does: any number of times, with the same result.
   */
  private applySwitch(state: RegistryState): void {
    const era = state.switchEra;
    if (era == NO_ERA || this.rules != RULES_FREE) return;
    this.unvested += this.weightGb * (state.switchIndex - this.indexPaid);
    this.indexPaid = state.index;
    this.nextWeightGb = 0;
    this.weightGb = 0;
    if (this.placementGb != 0) {
      if (this.placementEra < era) {
        this.previousPlacementGb = this.placementGb;
        this.placementEra = era;
      }
      this.placementGb = 0;
    }
  }

  save(): void {
    rewriteRecord(nodeKey(this.address), this.serialize());
  }

  create(): void {
    writeRecord(nodeKey(this.address), this.serialize());
  }

  remove(): void {
    deleteRecord(nodeKey(this.address));
  }

  static deserialize(bytes: StaticArray<u8>): StorageNode {
    const reader = new ByteReader(bytes);
    readVersion(reader);
    const node = new StorageNode(reader.paddedAddress());
    node.allocatedGb = reader.u64();
    node.registeredPeriod = reader.u64();
    node.totalChallenges = reader.u64();
    node.passedChallenges = reader.u64();
    node.pendingRewards = reader.u64();
    node.lastChallengedPeriod = reader.u64();
    node.active = reader.bool();
    node.stake = reader.u64();
    node.unvested = reader.u64();
    node.underAudit = reader.u64();
    node.indexPaid = reader.u64();
    node.weightGb = reader.u64();
    node.vote = reader.u64();
    node.voteEra = reader.u64();
    node.previousVote = reader.u64();
    node.nextWeightGb = reader.u64();
    node.nextWeightEra = reader.u64();
    node.placementGb = reader.u64();
    node.placementEra = reader.u64();
    node.previousPlacementGb = reader.u64();
    node.retentionPeriods = reader.u64();
    node.retentionEra = reader.u64();
    node.previousRetentionPeriods = reader.u64();
    node.openChallenges = reader.u32();
    node.auditPassed = reader.u32();
    node.auditTotal = reader.u32();
    node.auditPeriod = reader.u64();
    node.strikePoints = reader.u32();
    node.lastStrikePeriod = reader.u64();
    node.leaving = reader.bool();
    node.unlockPeriod = reader.u64();
    node.lastChallenger = reader.paddedAddress();
    node.index = reader.u64();
    node.slashedTotal = reader.u64();
    node.rules = reader.u8();
    node.movedEra = reader.u64();
    return node;
  }

  /** The stored record. */
  serialize(): StaticArray<u8> {
    const writer = new ByteWriter(RECORD_BYTES)
      .u8(RECORD_VERSION)
      .paddedAddress(this.address);
    this.writeNumbers(writer);
    writer.paddedAddress(this.lastChallenger);
    return this.writeEnd(writer);
  }

  /** What views return: the same fields with texts of their own length, and no version. */
  encode(): StaticArray<u8> {
    const chars = this.address.length + this.lastChallenger.length;
    const writer = new ByteWriter(ENCODED_BYTES + chars).text(this.address);
    this.writeNumbers(writer);
    writer.text(this.lastChallenger);
    return this.writeEnd(writer);
  }

  private writeEnd(writer: ByteWriter): StaticArray<u8> {
    return writer
      .u64(this.index)
      .u64(this.slashedTotal)
      .u8(this.rules)
      .u64(this.movedEra).bytes;
  }

  private writeNumbers(writer: ByteWriter): void {
    writer
      .u64(this.allocatedGb)
      .u64(this.registeredPeriod)
      .u64(this.totalChallenges)
      .u64(this.passedChallenges)
      .u64(this.pendingRewards)
      .u64(this.lastChallengedPeriod)
      .bool(this.active)
      .u64(this.stake)
      .u64(this.unvested)
      .u64(this.underAudit)
      .u64(this.indexPaid)
      .u64(this.weightGb)
      .u64(this.vote)
      .u64(this.voteEra)
      .u64(this.previousVote)
      .u64(this.nextWeightGb)
      .u64(this.nextWeightEra)
      .u64(this.placementGb)
      .u64(this.placementEra)
      .u64(this.previousPlacementGb)
      .u64(this.retentionPeriods)
      .u64(this.retentionEra)
      .u64(this.previousRetentionPeriods)
      .u32(this.openChallenges)
      .u32(this.auditPassed)
      .u32(this.auditTotal)
      .u64(this.auditPeriod)
      .u32(this.strikePoints)
      .u64(this.lastStrikePeriod)
      .bool(this.leaving)
      .u64(this.unlockPeriod);
  }
}

/**
 * The vote at the start of `era`, nanoMAS, read from a stored node without decoding the rest of it. A node that took
 * the place of another in `era` has none: the mark of that place may be the other's.
 */
export function readVote(record: StaticArray<u8>, era: u64): u64 {
  requireVersion(record);
  const start = changetype<usize>(record);
  if (load<u64>(start + MOVED_ERA_OFFSET) == era) return 0;
  const at = start + VOTE_OFFSET;
  return load<u64>(at, 8) < era ? load<u64>(at) : load<u64>(at, 16);
}

/** Place in the registry of a stored node. */
export function readNodeIndex(record: StaticArray<u8>): u64 {
  requireVersion(record);
  return load<u64>(changetype<usize>(record) + INDEX_OFFSET);
}
