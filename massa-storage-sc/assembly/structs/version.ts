import { ByteReader } from '../codec';
import { VERSION_UNKNOWN } from '../errors';

/** First byte of every record; a later contract reads older ones by it. */
export const RECORD_VERSION: u8 = 1;

/** Refuses (REGISTRY_VERSION_UNKNOWN) what other code has written: fields read at the wrong places are worse. */
export function readVersion(reader: ByteReader): void {
  assert(reader.u8() == RECORD_VERSION, VERSION_UNKNOWN);
}

/** The same for a record that is not read from its beginning. */
export function requireVersion(record: StaticArray<u8>): void {
  assert(
    load<u8>(changetype<usize>(record)) == RECORD_VERSION,
    VERSION_UNKNOWN,
  );
}
