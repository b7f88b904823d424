import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import fc from 'fast-check'
import {
  CHUNK_SIZE_BYTES,
  computeChunkId,
  computeChunkTreeRoot,
  concatBytes,
  cutChunks,
  formatChunkId,
  gatherChunks,
  isArchiveError,
  parseChunkId,
  toHex,
} from '../../core/index.ts'
import { treeHead } from '../reference/merkle.ts'

describe('core/chunk', () => {
  it('roots a chunk as RFC 6962 over its leaves of 1,024 bytes, and puts the length into the id', () => {
    const sizes = fc.oneof(fc.integer({ min: 1, max: 12_000 }), fc.constantFrom(1, 1023, 1024, 1025, 3072))
    fc.assert(
      fc.property(sizes, fc.nat(255), (size, fill) => {
        const chunk = Uint8Array.from({ length: size }, (_, i) => i + fill)
        const leaves: Uint8Array[] = []
        for (let at = 0; at < size; at += 1024) leaves.push(chunk.subarray(at, at + 1024))
        const root = treeHead(leaves)
        assert.equal(toHex(computeChunkTreeRoot(chunk)), toHex(root))
        const length = Buffer.alloc(4)
        length.writeUInt32BE(size)
        const id = createHash('sha256').update(Uint8Array.of(2)).update(length).update(root).digest('hex')
        assert.equal(toHex(computeChunkId(chunk)), id)
      }),
    )
  })

  it('cuts a BODY into views that make it up again, all of full size but the last', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 20_000 }), fc.integer({ min: 1, max: 8 }), (size, leaves) => {
        const body = new Uint8Array(size).map((_, i) => i)
        const chunks = cutChunks(body, leaves * 1024)
        assert.equal(toHex(concatBytes(...chunks)), toHex(body))
        assert.equal(chunks.length, Math.ceil(size / (leaves * 1024)))
        for (const chunk of chunks.slice(0, -1)) assert.equal(chunk.length, leaves * 1024)
        assert(chunks.every((chunk) => chunk.length > 0 && chunk.buffer === body.buffer))
      }),
    )
  })

  it('gathers parts, empty ones too, into the chunks of what they make together, each in memory of its own', () => {
    const parts = fc.array(fc.uint8Array({ maxLength: 3000 }), { minLength: 1, maxLength: 8 })
    fc.assert(
      fc.property(parts, fc.integer({ min: 1, max: 3 }), (parts, leaves) => {
        const body = concatBytes(...parts)
        fc.pre(body.length > 0)
        const chunks = [...gatherChunks(parts, leaves * 1024)]
        assert.deepEqual(chunks.map(toHex), cutChunks(body, leaves * 1024).map(toHex))
        assert.equal(new Set(chunks.map(({ buffer }) => buffer)).size, chunks.length)
        for (const { buffer, byteLength } of chunks) assert.equal(buffer.byteLength, byteLength)
      }),
    )
  })

  it('limit: chunk sizes are multiples of 1,024 up to 1,048,576', () => {
    const body = new Uint8Array(2000)
    for (const size of [1024, CHUNK_SIZE_BYTES]) cutChunks(body, size)
    for (const size of [0, -1024, 1023, 1025, 1536, CHUNK_SIZE_BYTES + 1024, Number.NaN, 1024.5]) {
      assert.throws(
        () => cutChunks(body, size),
        (error) => isArchiveError(error, 'CORE_CHUNK_SIZE_INVALID'),
      )
      assert.throws(
        () => [...gatherChunks([body], size)],
        (error) => isArchiveError(error, 'CORE_CHUNK_SIZE_INVALID'),
      )
    }
  })

  it('refuses an empty BODY', () => {
    assert.throws(
      () => cutChunks(new Uint8Array(0), 1024),
      (error) => isArchiveError(error, 'CORE_BODY_INVALID'),
    )
    assert.throws(
      () => [...gatherChunks([new Uint8Array(0)], 1024)],
      (error) => isArchiveError(error, 'CORE_BODY_INVALID'),
    )
  })

  it('reads and writes ids as 64 hex digits', () => {
    const id = computeChunkId(Uint8Array.of(1))
    assert.equal(toHex(parseChunkId(formatChunkId(id))), toHex(id))
    for (const text of ['', '0', 'g'.repeat(64), '0'.repeat(63), '0'.repeat(65)]) {
      assert.throws(() => parseChunkId(text), isArchiveError)
    }
  })
})
