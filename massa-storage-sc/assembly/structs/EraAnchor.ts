import { ByteReader, ByteWriter } from '../codec';
import { hasRecord, readRecord, writeRecord } from '../datastore';
import { ERA_UNKNOWN } from '../errors';
import { eraKey } from '../storage-keys';
import { RECORD_VERSION, readVersion } from './version';

const RECORD_BYTES = 104;
const ENCODED_BYTES = 8 + 2 * 36 + 3 * 8;

/** What a quorum of the nodes signed about 128 periods. */
export class EraAnchor {
  /** 32 bytes */
  root: StaticArray<u8> = [];
  /** 32 bytes, of the placement of the next era */
  placementRoot: StaticArray<u8> = [];
  totalBytes: u64 = 0;
  totalChunks: u64 = 0;
  anchoredPeriod: u64 = 0;

  constructor(readonly era: u64) {}

  static exists(era: u64): bool {
    return hasRecord(eraKey(era));
  }

  /** Refuses with REGISTRY_ERA_UNKNOWN. */
  static load(era: u64): EraAnchor {
    const key = eraKey(era);
    assert(hasRecord(key), ERA_UNKNOWN);
    return EraAnchor.deserialize(era, readRecord(key));
  }

  create(): void {
    writeRecord(eraKey(this.era), this.serialize());
  }

  static deserialize(era: u64, bytes: StaticArray<u8>): EraAnchor {
    const reader = new ByteReader(bytes);
    readVersion(reader);
    const anchor = new EraAnchor(era);
    anchor.root = reader.raw(32);
    anchor.placementRoot = reader.raw(32);
    anchor.totalBytes = reader.u64();
    anchor.totalChunks = reader.u64();
    anchor.anchoredPeriod = reader.u64();
    return anchor;
  }

  /** The stored record; the era is in its key. */
  serialize(): StaticArray<u8> {
    return new ByteWriter(RECORD_BYTES)
      .u8(RECORD_VERSION)
      .raw(this.root)
      .raw(this.placementRoot)
      .u64(this.totalBytes)
      .u64(this.totalChunks)
      .u64(this.anchoredPeriod).bytes;
  }

  /** What views return. */
  encode(): StaticArray<u8> {
    return new ByteWriter(ENCODED_BYTES)
      .u64(this.era)
      .byteString(this.root)
      .byteString(this.placementRoot)
      .u64(this.totalBytes)
      .u64(this.totalChunks)
      .u64(this.anchoredPeriod).bytes;
  }
}
