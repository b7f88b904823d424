import assert from 'node:assert/strict'
import { computeChunkId, VerifiedChunk } from '../../core/index.ts'

describe('core/verified-chunk', () => {
  const bytes = Uint8Array.from({ length: 3_000 }, (_, i) => i)
  const chunkId = computeChunkId(bytes)

  it('is made of bytes that hash to the id', () => {
    const chunk = VerifiedChunk.verify(bytes, chunkId)
    assert.equal(chunk?.bytes, bytes)
    assert.deepEqual(chunk?.chunkId, chunkId)
  })

  it('is not made of others', () => {
    for (const at of [0, 1_500, 2_999]) {
      const changed = bytes.slice()
      changed[at] = (changed[at] ?? 0) ^ 1
      assert.equal(VerifiedChunk.verify(changed, chunkId), undefined)
    }
    assert.equal(VerifiedChunk.verify(bytes.subarray(1), chunkId), undefined)
    assert.equal(VerifiedChunk.verify(bytes, chunkId.subarray(1)), undefined)
  })
})
