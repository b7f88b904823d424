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

  it('is made of what another thread gives back, if that has the id', async () => {
    const moved = bytes.slice()
    const identify = async () => ({ chunk: moved, chunkId })
    const chunk = await VerifiedChunk.verifyBy(identify, bytes, chunkId.slice())
    assert.equal(chunk?.bytes, moved)
    assert.equal(await VerifiedChunk.verifyBy(identify, bytes, computeChunkId(Uint8Array.of(1))), undefined)
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
