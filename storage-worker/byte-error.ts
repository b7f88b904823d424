import { advanceCrc, crc32c, maskCrc } from './crc32c.ts'

const CRC_BYTES = 4

/** By the highest byte of a CRC: the byte that was taken in last, when nothing was before it. */
const LAST_BYTES = makeLastBytes()

/** Where one byte may have been changed, and by which bits. */
export interface ByteError {
  readonly at: number
  readonly bits: number
}

/**
 * All changes of a single byte that would explain why bytes do not fit their CRC.
 *
 * A CRC is linear: what it differs by is the CRC of the change, which is followed back byte by byte. Of a megabyte that
 * was damaged in more than one byte it finds a change that was not made in one of 16 cases: the caller has to judge.
 *
 * @param block - with the masked CRC-32C of all before in its last four bytes
 */
export function* findByteErrors(block: Buffer): Generator<ByteError> {
  const contentBytes = block.length - CRC_BYTES
  const computed = crc32c(block.subarray(0, contentBytes))
  const masked = maskCrc(computed)
  const stored = block.readUInt32LE(contentBytes)
  for (let i = 0; i < CRC_BYTES; i++) {
    const bits = ((masked ^ stored) >>> (8 * i)) & 0xff
    if (bits !== 0 && (masked ^ stored) >>> 0 === (bits << (8 * i)) >>> 0) yield { at: contentBytes + i, bits }
  }
  let difference = computed ^ unmask(stored)
  for (let at = contentBytes - 1; at >= 0; at--) {
    const last = LAST_BYTES[difference >>> 24] ?? 0
    difference = ((difference ^ advanceCrc(0, last)) << 8) | last
    if (difference >>> 0 <= 0xff && difference !== 0) yield { at, bits: difference }
  }
}

function unmask(masked: number): number {
  const rotated = (masked - 0xa282ead8) >>> 0
  return (rotated >>> 17) | (rotated << 15)
}

function makeLastBytes(): Uint8Array {
  const bytes = new Uint8Array(256)
  for (let byte = 0; byte < 256; byte++) bytes[advanceCrc(0, byte) >>> 24] = byte
  return bytes
}
