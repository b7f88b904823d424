import { ByteReader, ByteWriter } from '../codec';
import { RECORD_VERSION, readVersion } from './version';

const RECORD_BYTES = 49;

/** Signatures counted so far for one statement about one era; whose they are is in its pages. */
export class EraVote {
  /** Era whose starting stakes count */
  snapshotEra: u64 = 0;
  /** Stakes counted, nanoMAS */
  tally: u64 = 0;

  /** @param digest - 32 bytes that were signed */
  constructor(readonly digest: StaticArray<u8>) {}

  static deserialize(bytes: StaticArray<u8>): EraVote {
    const reader = new ByteReader(bytes);
    readVersion(reader);
    const vote = new EraVote(reader.raw(32));
    vote.snapshotEra = reader.u64();
    vote.tally = reader.u64();
    return vote;
  }

  serialize(): StaticArray<u8> {
    return new ByteWriter(RECORD_BYTES)
      .u8(RECORD_VERSION)
      .raw(this.digest)
      .u64(this.snapshotEra)
      .u64(this.tally).bytes;
  }
}
