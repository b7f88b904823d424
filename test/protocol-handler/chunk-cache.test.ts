import assert from 'node:assert/strict'
import { ChunkCache, type ServedChunk } from '../../protocol-handler/chunk-cache.ts'
import { MAX_CACHED_CHUNK_BYTES } from '../../protocol-handler/limits.ts'

const chunk = (bytes: number): ServedChunk => ({
  status: 'ok',
  position: { period: 1, index: 0, chunkCount: 1, path: [] },
  data: new Uint8Array(bytes),
})

describe('protocol-handler/chunk-cache', () => {
  it('limit: as many bytes as it may, then what was used longest ago goes', () => {
    const cache = new ChunkCache(30)
    for (const id of ['a', 'b', 'c']) cache.put(id, chunk(10))
    assert.equal(cache.bytes, 30)
    assert.ok(cache.get('a'))
    cache.put('d', chunk(1))
    assert.equal(cache.get('b'), undefined)
    assert.ok(cache.get('a') && cache.get('c') && cache.get('d'))
    assert.equal(cache.bytes, 21)
  })

  it('limit: a chunk of all its bytes is kept, a larger one is not, and takes the old one of its id away', () => {
    const cache = new ChunkCache(MAX_CACHED_CHUNK_BYTES)
    const whole = chunk(MAX_CACHED_CHUNK_BYTES)
    cache.put('a', whole)
    assert.equal(cache.get('a'), whole)
    cache.put('a', chunk(MAX_CACHED_CHUNK_BYTES + 1))
    assert.equal(cache.get('a'), undefined)
    assert.equal(cache.bytes, 0)
  })

  it('counts a chunk that is put twice once', () => {
    const cache = new ChunkCache(30)
    cache.put('a', chunk(10))
    cache.put('a', chunk(20))
    assert.equal(cache.bytes, 20)
  })
})
