/** Reflected Castagnoli polynomial, as LevelDB uses it; `zlib.crc32` is another. */
const POLYNOMIAL = 0x82f63b78
/** Bytes per step, each with a table of its own: a third of the time of one byte after the other. */
const STEP = 4

const TABLES = makeTables()

/** CRC-32C, u32. */
export function crc32c(bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  let crc = -1
  let at = 0
  for (const end = bytes.length - (bytes.length % STEP); at < end; at += STEP) {
    crc ^= view.getInt32(at, true)
    crc =
      (TABLES[768 + (crc & 0xff)] ?? 0) ^
      (TABLES[512 + ((crc >>> 8) & 0xff)] ?? 0) ^
      (TABLES[256 + ((crc >>> 16) & 0xff)] ?? 0) ^
      (TABLES[crc >>> 24] ?? 0)
  }
  for (; at < bytes.length; at++) crc = (TABLES[(crc ^ view.getUint8(at)) & 0xff] ?? 0) ^ (crc >>> 8)
  return ~crc >>> 0
}

/** The k-th table: CRC of a byte with k zero bytes behind it. */
function makeTables(): Int32Array {
  const tables = new Int32Array(STEP * 256)
  for (let i = 0; i < tables.length; i++) {
    let crc = i < 256 ? i : (tables[i - 256] ?? 0)
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1
    tables[i] = crc
  }
  return tables
}
