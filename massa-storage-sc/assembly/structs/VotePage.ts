import { hasRecord, readRecord, writeRecord } from '../datastore';
import { votePageKey } from '../storage-keys';
import { RECORD_VERSION, requireVersion } from './version';

/** version || u64 snapshotEra || a bit for each of 256 places of the registry, the lowest of a byte first */
export const PAGE_BYTES = 41;
const ERA_OFFSET: usize = 1;
const BITS_OFFSET: usize = 9;
/** Places of a page. */
const PAGE_VOTERS_LOG2: u64 = 8;

/** Which nodes of 256 places a vote has counted. */
export class VotePage {
  /** Whether a node was added since the page was opened. */
  isChanged: bool = false;

  private constructor(
    readonly number: u64,
    private readonly key: StaticArray<u8>,
    private readonly record: StaticArray<u8>,
  ) {}

  /** Number of the page that has the place. */
  static numberOf(index: u64): u64 {
    return index >> PAGE_VOTERS_LOG2;
  }

  /** The page as it stands; empty when it is not there, or was about the stakes of another era. */
  static open(voteName: string, number: u64, era: u64): VotePage {
    const key = votePageKey(voteName, number);
    if (hasRecord(key)) {
      const record = readRecord(key);
      if (readPageEra(record) == era) return new VotePage(number, key, record);
    }
    const record = new StaticArray<u8>(PAGE_BYTES);
    const at = changetype<usize>(record);
    store<u8>(at, RECORD_VERSION);
    store<u64>(at + ERA_OFFSET, era);
    return new VotePage(number, key, record);
  }

  /** @returns false when the node at this place was counted before */
  add(index: u64): bool {
    const at =
      changetype<usize>(this.record) +
      BITS_OFFSET +
      <usize>((index & 255) >> 3);
    const bits = load<u8>(at);
    const shift = <u8>(index & 7);
    const bit: u8 = 1 << shift;
    if ((bits & bit) != 0) return false;
    store<u8>(at, bits | bit);
    this.isChanged = true;
    return true;
  }

  save(): void {
    if (this.isChanged) writeRecord(this.key, this.record);
  }
}

/** Era whose starting stakes the page is about. */
export function readPageEra(record: StaticArray<u8>): u64 {
  requireVersion(record);
  return load<u64>(changetype<usize>(record) + ERA_OFFSET);
}
