import { ByteReader, ByteWriter, equalHashes } from '../codec';
import { RECORD_VERSION, readVersion } from './version';

/** What the admin said it would do, so that everybody can leave before. */
export class Announcement {
  /** @param hash - 32 bytes; SHA-256 of what will be applied */
  constructor(readonly hash: StaticArray<u8>, readonly announcedPeriod: u64) {}

  isOf(hash: StaticArray<u8>): bool {
    return equalHashes(changetype<usize>(this.hash), changetype<usize>(hash));
  }

  static deserialize(bytes: StaticArray<u8>): Announcement {
    const reader = new ByteReader(bytes);
    readVersion(reader);
    const hash = reader.raw(32);
    return new Announcement(hash, reader.u64());
  }

  serialize(): StaticArray<u8> {
    return new ByteWriter(41)
      .u8(RECORD_VERSION)
      .raw(this.hash)
      .u64(this.announcedPeriod).bytes;
  }
}
