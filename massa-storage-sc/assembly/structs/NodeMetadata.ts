import { ByteReader, ByteWriter } from '../codec';
import { hasRecord, readRecord, writeRecord } from '../datastore';
import { metadataKey } from '../storage-keys';
import { RECORD_VERSION, readVersion } from './version';

/** An empty list and three empty texts. */
const EMPTY_BYTES = 16;

/** Where a node is reached and whose it is, as placement of an era sees it: the current one counts from fromEra. */
export class NodeMetadata {
  fromEra: u64 = 0;
  /** Args of p2pAddrs[], endpoint, location, operator */
  current: StaticArray<u8> = new StaticArray<u8>(EMPTY_BYTES);
  previous: StaticArray<u8> = new StaticArray<u8>(EMPTY_BYTES);

  /** Empty where a node has not said anything yet. */
  static load(address: string): NodeMetadata {
    const key = metadataKey(address);
    const metadata = new NodeMetadata();
    if (!hasRecord(key)) return metadata;
    const reader = new ByteReader(readRecord(key));
    readVersion(reader);
    metadata.fromEra = reader.u64();
    metadata.current = reader.byteString();
    metadata.previous = reader.byteString();
    return metadata;
  }

  /** The owner pays what it grows by. */
  save(address: string): void {
    const size = 1 + 8 + 4 + this.current.length + 4 + this.previous.length;
    const bytes = new ByteWriter(size)
      .u8(RECORD_VERSION)
      .u64(this.fromEra)
      .byteString(this.current)
      .byteString(this.previous).bytes;
    writeRecord(metadataKey(address), bytes);
  }

  /** What views return. */
  encode(): StaticArray<u8> {
    return new ByteWriter(8 + this.current.length + this.previous.length)
      .u64(this.fromEra)
      .raw(this.current)
      .raw(this.previous).bytes;
  }
}
