import { ByteReader, ByteWriter } from '../codec';
import { readRecord, rewriteRecord, writeRecord } from '../datastore';
import { STATE_KEY, textKey } from '../storage-keys';
import { RECORD_VERSION, readVersion } from './version';

const RECORD_BYTES = 320;
/** latestEra before the first anchor, switchEra without a switch. */
export const NO_ERA: u64 = u64.MAX_VALUE;

/** The totals that let every call cost the same at any number of nodes. */
export class RegistryState {
  /** nanoMAS set aside per GB since the beginning */
  index: u64 = 0;
  /** Millionths of a nanoMAS that the index has not moved yet */
  idxRem: u32 = 0;
  accruedPeriod: u64 = 0;
  /** Sum of weightGb */
  weight: u64 = 0;
  /** Sum of the votes, nanoMAS; previousVotes is its value at the start of voteEra. */
  votes: u64 = 0;
  voteEra: u64 = 0;
  previousVotes: u64 = 0;
  /** Nodes with weight */
  activeNodes: u64 = 0;
  placementTotal: u64 = 0;
  /** nanoMAS that rewards may still take */
  pool: u64 = 0;
  /** nanoMAS accrued to nodes, vested or not */
  owed: u64 = 0;
  stakes: u64 = 0;
  anchoredBytes: u64 = 0;
  anchoredChunks: u64 = 0;
  /** Highest anchored era, NO_ERA before the first */
  latestEra: u64 = NO_ERA;
  firstEra: u64 = 0;
  /** ms */
  genesisTimestamp: u64 = 0;
  lastDistributedPeriod: u64 = 0;
  accruedSince: u64 = 0;
  returnedSince: u64 = 0;
  shortSince: bool = false;
  challengerCount: u64 = 0;
  /** Changes whenever a node joins or goes */
  registryVersion: u64 = 0;
  paused: bool = false;
  /** What placement of era sampledEra takes from its start */
  sampledEra: u64 = 0;
  eraBytes: u64 = 0;
  eraReplicas: u32 = 0;
  eraLag: u32 = 0;
  eraAnchors: bool = false;
  /** index and era when requireAnchors became true; NO_ERA = it did not, or was so from the beginning */
  switchIndex: u64 = NO_ERA;
  switchEra: u64 = NO_ERA;

  static load(): RegistryState {
    return RegistryState.deserialize(readRecord(textKey(STATE_KEY)));
  }

  save(): void {
    rewriteRecord(textKey(STATE_KEY), this.serialize());
  }

  create(): void {
    writeRecord(textKey(STATE_KEY), this.serialize());
  }

  /** What the contract owes to nodes and holds for rewards, nanoMAS. */
  liabilities(): u64 {
    return this.stakes + this.owed + this.pool;
  }

  static deserialize(bytes: StaticArray<u8>): RegistryState {
    const reader = new ByteReader(bytes);
    const state = new RegistryState();
    readVersion(reader);
    state.index = reader.u64();
    state.idxRem = reader.u32();
    state.accruedPeriod = reader.u64();
    state.weight = reader.u64();
    state.votes = reader.u64();
    state.voteEra = reader.u64();
    state.previousVotes = reader.u64();
    state.activeNodes = reader.u64();
    state.placementTotal = reader.u64();
    state.pool = reader.u64();
    state.owed = reader.u64();
    state.stakes = reader.u64();
    state.anchoredBytes = reader.u64();
    state.anchoredChunks = reader.u64();
    state.latestEra = reader.u64();
    state.firstEra = reader.u64();
    state.genesisTimestamp = reader.u64();
    state.lastDistributedPeriod = reader.u64();
    state.accruedSince = reader.u64();
    state.returnedSince = reader.u64();
    state.shortSince = reader.bool();
    state.challengerCount = reader.u64();
    state.registryVersion = reader.u64();
    state.paused = reader.bool();
    state.sampledEra = reader.u64();
    state.eraBytes = reader.u64();
    state.eraReplicas = reader.u32();
    state.eraLag = reader.u32();
    state.eraAnchors = reader.bool();
    state.switchIndex = reader.u64();
    state.switchEra = reader.u64();
    return state;
  }

  serialize(): StaticArray<u8> {
    return new ByteWriter(RECORD_BYTES)
      .u8(RECORD_VERSION)
      .u64(this.index)
      .u32(this.idxRem)
      .u64(this.accruedPeriod)
      .u64(this.weight)
      .u64(this.votes)
      .u64(this.voteEra)
      .u64(this.previousVotes)
      .u64(this.activeNodes)
      .u64(this.placementTotal)
      .u64(this.pool)
      .u64(this.owed)
      .u64(this.stakes)
      .u64(this.anchoredBytes)
      .u64(this.anchoredChunks)
      .u64(this.latestEra)
      .u64(this.firstEra)
      .u64(this.genesisTimestamp)
      .u64(this.lastDistributedPeriod)
      .u64(this.accruedSince)
      .u64(this.returnedSince)
      .bool(this.shortSince)
      .u64(this.challengerCount)
      .u64(this.registryVersion)
      .bool(this.paused)
      .u64(this.sampledEra)
      .u64(this.eraBytes)
      .u32(this.eraReplicas)
      .u32(this.eraLag)
      .bool(this.eraAnchors)
      .u64(this.switchIndex)
      .u64(this.switchEra).bytes;
  }
}
