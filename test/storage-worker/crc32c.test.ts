import assert from 'node:assert/strict'
import { crc32c } from '../../storage-worker/crc32c.ts'
import { noise } from './synthetic-period.ts'

describe('storage-worker/crc32c', () => {
  it('computes the CRC-32C of RFC 3720, B.4', () => {
    assert.equal(crc32c(new Uint8Array(32)), 0x8a9136aa)
    assert.equal(crc32c(new Uint8Array(32).fill(0xff)), 0x62a8ab43)
    assert.equal(crc32c(Uint8Array.from({ length: 32 }, (_, i) => i)), 0x46dd794e)
    // No multiple of four, as the others are: the check value of the CRC catalogue.
    assert.equal(crc32c(new TextEncoder().encode('123456789')), 0xe3069283)
  })

  it('gives at every length and offset what the definition gives bit by bit', () => {
    const bytes = noise('crc', 300)
    for (let length = 0; length <= 150; length++) {
      for (const offset of [0, 1, 6]) {
        const part = bytes.subarray(offset, offset + length)
        assert.equal(crc32c(part), computeSlowly(part), `${length} bytes at ${offset}`)
      }
    }
  })
})

function computeSlowly(bytes: Uint8Array): number {
  let crc = 0xffff_ffff
  for (const byte of bytes) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f6_3b78 : crc >>> 1
  }
  return ~crc >>> 0
}
