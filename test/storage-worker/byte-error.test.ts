import assert from 'node:assert/strict'
import { findByteErrors } from '../../storage-worker/byte-error.ts'
import { crc32c, maskCrc } from '../../storage-worker/crc32c.ts'
import { noise } from './synthetic-period.ts'

const SEED = process.env.MASSA_STORAGE_TEST_SEED ?? '1'

describe('storage-worker/byte-error', () => {
  it(`finds where a byte was changed and by which bits, of content and of CRC (seed ${SEED})`, () => {
    for (const length of [1, 2, 20, 300]) {
      const block = seal(noise(`${SEED} ${length}`, length))
      for (let at = 0; at < block.length; at++) {
        for (const bits of [1, 0x80, 0xff, 1 + ((noise(`${SEED} ${length} ${at}`, 1)[0] ?? 0) % 255)]) {
          const damaged = Buffer.from(block)
          damaged[at] = (damaged[at] ?? 0) ^ bits
          assert.deepEqual([...findByteErrors(damaged)], [{ at, bits }], `byte ${at} of ${length}, ${bits}`)
        }
      }
    }
  })

  it('finds none where several bytes were changed, but by chance', () => {
    const damaged = seal(noise(SEED, 100))
    for (const at of [10, 50, 90]) damaged[at] = (damaged[at] ?? 0) ^ 0x55
    assert.deepEqual([...findByteErrors(damaged)], [])
  })
})

function seal(content: Uint8Array): Buffer {
  const crc = Buffer.alloc(4)
  crc.writeUInt32LE(maskCrc(crc32c(content)))
  return Buffer.concat([content, crc])
}
