/** Reflected Castagnoli polynomial, as LevelDB uses it; `zlib.crc32` is another. */
const POLYNOMIAL = 0x82f63b78
const WORD_BYTES = 4
/** Words that are under way at once, each with a CRC of its own: none waits for the look-ups of another. */
const LANES = 4
const STEP_BYTES = LANES * WORD_BYTES

/** The k-th: CRC of a byte with k zero bytes behind it. */
const TABLES = makeTables(STEP_BYTES)
const [T0, T1, T2, T3] = [pickTable(0), pickTable(1), pickTable(2), pickTable(3)]
/** Of a byte of a word, with the words of the other lanes behind it, too. */
const FAR_BYTES = STEP_BYTES - WORD_BYTES
const [F0, F1, F2, F3] = [0, 1, 2, 3].map((k) => pickTable(FAR_BYTES + k)) as [
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
]

/** CRC-32C, u32. */
export function crc32c(bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const steps = Math.floor(bytes.length / STEP_BYTES)
  let at = 0
  let a = -1
  if (steps > 1) {
    let b = 0
    let c = 0
    let d = 0
    for (const end = (steps - 1) * STEP_BYTES; at < end; at += STEP_BYTES) {
      a = advance(a ^ view.getInt32(at, true))
      b = advance(b ^ view.getInt32(at + 4, true))
      c = advance(c ^ view.getInt32(at + 8, true))
      d = advance(d ^ view.getInt32(at + 12, true))
    }
    // The last step brings the lanes together, in the order of their words.
    a = word(a ^ view.getInt32(at, true))
    a = word(a ^ b ^ view.getInt32(at + 4, true))
    a = word(a ^ c ^ view.getInt32(at + 8, true))
    a = word(a ^ d ^ view.getInt32(at + 12, true))
    at += STEP_BYTES
  }
  for (; at < bytes.length; at++) a = (T0[(a ^ view.getUint8(at)) & 0xff] ?? 0) ^ (a >>> 8)
  return ~a >>> 0
}

/** The CRC with one more byte: to be begun with -1, and inverted at the end. */
export function advanceCrc(crc: number, byte: number): number {
  return (T0[(crc ^ byte) & 0xff] ?? 0) ^ (crc >>> 8)
}

/** LevelDB masks what it stores: rotated right by 15 bits, plus a constant. */
export function maskCrc(crc: number): number {
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0
}

function word(crc: number): number {
  return (T3[crc & 0xff] ?? 0) ^ (T2[(crc >>> 8) & 0xff] ?? 0) ^ (T1[(crc >>> 16) & 0xff] ?? 0) ^ (T0[crc >>> 24] ?? 0)
}

function advance(crc: number): number {
  return (F3[crc & 0xff] ?? 0) ^ (F2[(crc >>> 8) & 0xff] ?? 0) ^ (F1[(crc >>> 16) & 0xff] ?? 0) ^ (F0[crc >>> 24] ?? 0)
}

function pickTable(k: number): Int32Array {
  return TABLES.subarray(256 * k, 256 * (k + 1))
}

function makeTables(count: number): Int32Array {
  const tables = new Int32Array(count * 256)
  for (let i = 0; i < 256; i++) {
    let crc = i
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1
    tables[i] = crc
  }
  for (let i = 256; i < tables.length; i++) {
    const before = tables[i - 256] ?? 0
    tables[i] = (before >>> 8) ^ (tables[before & 0xff] ?? 0)
  }
  return tables
}
