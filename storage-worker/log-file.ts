import { readFileSync } from 'node:fs'
import { crc32c, maskCrc } from './crc32c.ts'

/*
 * LevelDB's write-ahead log and manifest, checked from outside (leveldb doc/log_format.md). LevelDB itself drops what it
 * cannot read of a log without a word, and takes a record whose length runs past the end for one that a crash cut off:
 * everything behind it is lost, and tables that only a lost record of the manifest names are deleted.
 */

const BLOCK_BYTES = 32 * 1024
/** u32 masked CRC-32C of type and data, u16 length, u8 type */
const HEADER_BYTES = 7
const FULL = 1
const FIRST = 2
const LAST = 4

/**
 * Why a log or manifest is not as it was written; `undefined` when it is, or ends in a record that a crash cut off.
 *
 * @throws what reading the file throws
 */
export function findLogDamage(path: string): string | undefined {
  const bytes = readFileSync(path)
  let isInside = false
  for (let at = 0; at < bytes.length; ) {
    const left = BLOCK_BYTES - (at % BLOCK_BYTES)
    if (left < HEADER_BYTES) {
      if (!isZero(bytes.subarray(at, at + left))) return `bytes between blocks at ${at}`
      at += left
      continue
    }
    const record = bytes.subarray(at, Math.min(at + left, bytes.length))
    // A file may have been lengthened, with zeros, before a loss of power kept its bytes from being written.
    if (isZero(bytes.subarray(at))) return undefined
    if (record.length < HEADER_BYTES) return undefined
    const length = record.readUInt16LE(4)
    if (HEADER_BYTES + length > record.length) {
      const isLastBlock = at + left > bytes.length
      return isLastBlock && !hasOtherLength(record) ? undefined : `a length at ${at} that does not fit`
    }
    if (!fitsChecksum(record, length)) return `the checksum of the record at ${at} does not fit`
    const type = record[6] ?? 0
    const isStart = type === FULL || type === FIRST
    if (type < FULL || type > LAST || isStart === isInside) return `a record of kind ${type} at ${at}`
    isInside = type !== FULL && type !== LAST
    at += HEADER_BYTES + length
  }
  return undefined
}

/** The records of a log or manifest in which `findLogDamage` found nothing; one that a crash cut off is left out. */
export function* readLogRecords(bytes: Buffer): Generator<Uint8Array> {
  let parts: Uint8Array[] = []
  for (let at = 0; at < bytes.length; ) {
    const left = BLOCK_BYTES - (at % BLOCK_BYTES)
    if (left < HEADER_BYTES) {
      at += left
      continue
    }
    if (bytes.length - at < HEADER_BYTES) return
    const end = at + HEADER_BYTES + bytes.readUInt16LE(at + 4)
    const type = bytes[at + 6] ?? 0
    // Type 0: zeros behind the last record.
    if (end > bytes.length || type === 0) return
    parts.push(bytes.subarray(at + HEADER_BYTES, end))
    if (type === FULL || type === LAST) {
      yield Buffer.concat(parts)
      parts = []
    }
    at = end
  }
}

/** A record that was cut off fits no other length; one with a damaged length does. */
function hasOtherLength(record: Buffer): boolean {
  const length = record.readUInt16LE(4)
  for (let other = 0; other <= 0xff; other++) {
    for (const candidate of [(length & 0xff00) | other, (other << 8) | (length & 0xff)]) {
      if (HEADER_BYTES + candidate <= record.length && fitsChecksum(record, candidate)) return true
    }
  }
  return false
}

function fitsChecksum(record: Buffer, length: number): boolean {
  return maskCrc(crc32c(record.subarray(6, HEADER_BYTES + length))) === record.readUInt32LE(0)
}

function isZero(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0)
}
