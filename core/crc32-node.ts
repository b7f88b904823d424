import { crc32 as nodeCrc32 } from 'node:zlib'

/**
 * CRC-32 of ISO 3309 (that of zip and PNG), u32.
 *
 * @param before - of the bytes that stand before these; default: none do
 */
export function crc32(bytes: Uint8Array, before = 0): number {
  return nodeCrc32(bytes, before)
}
