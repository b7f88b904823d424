import assert from 'node:assert/strict'
import { CHUNK_SIZE_BYTES, type ChunkStore } from '../../../core/index.ts'
import type { Frame, StreamService } from '../../../protocol-handler/index.ts'
import type { LevelChunkStore } from '../../../storage-worker/index.ts'
import { createAuditService } from '../../../storage-worker/peers/audit-service.ts'
import { createBlockService } from '../../../storage-worker/peers/block-service.ts'
import { createChunkService } from '../../../storage-worker/peers/chunk-service.ts'
import { createManifestService } from '../../../storage-worker/peers/manifest-service.ts'
import { computeManifestCost } from '../../../storage-worker/peers/read-cost.ts'
import { WithheldChunks } from '../../../storage-worker/replication/withheld-chunks.ts'
import { openMemoryStore } from '../replication/audited-nodes.ts'
import { makePeriod } from '../synthetic-period.ts'

const PERIOD = makePeriod(5, { blocks: 5, operations: 4, operationBytes: 900 })
const [{ chunkId, byteLength } = assert.fail('a period has a chunk')] = PERIOD.manifest.chunks
/** Without blocks, below it. */
const EMPTY = 4

describe('hostile peer: what costs more to read than to send', () => {
  let store: LevelChunkStore
  before(async () => {
    store = await openMemoryStore()
    await store.writePeriod(PERIOD)
    for (let period = 1; period <= EMPTY; period++) await store.writePeriod(makePeriod(period, { blocks: 0 }))
  })

  /** Bytes that were read and not sent, as the peer is told to owe them. */
  async function cost<Q>(service: StreamService<Q, Frame>, request: Q): Promise<number> {
    let bytes = 0
    await service.answer(request, 'asker', (read) => (bytes += read))
    return bytes
  }

  it('the last byte of SEALS, and one behind it, cost all of them; a part that is all of them costs nothing more', async () => {
    const service = createChunkService(store) as StreamService<unknown, Frame>
    const { length } = PERIOD.seals
    const seals = (offset: number) => cost(service, { wanted: 'seals', chunkId, offset })
    assert.deepEqual(await Promise.all([0, 1, length - 1, length].map(seals)), [0, 1, length - 1, length])
  })

  it('parts of SEALS behind the first one come from memory and cost what is sent; the first one reads the disk', async () => {
    const seals = new Uint8Array(2 * CHUNK_SIZE_BYTES + 100)
    let reads = 0
    const counted = {
      findChunks: async () => [{ period: 5, index: 0 }],
      readSeals: async () => {
        reads++
        return seals
      },
    } as unknown as ChunkStore
    const service = createChunkService(counted, { cacheBytes: seals.length }) as StreamService<unknown, Frame>
    for (const read of [1, 2]) {
      const costs: number[] = []
      for (const part of [0, 1, 2]) {
        costs.push(await cost(service, { wanted: 'seals', chunkId, offset: part * CHUNK_SIZE_BYTES }))
      }
      assert.deepEqual([costs, reads], [[seals.length - CHUNK_SIZE_BYTES, 0, 0], read])
    }
  })

  it('a leaf costs its chunk', async () => {
    assert.equal(await cost(createAuditService(store), { chunkId, leafIndex: 0 }), byteLength)
  })

  it('a chunk or SEALS that are withheld cost what was read', async () => {
    const withheld = new WithheldChunks()
    const service = createChunkService(store, { cacheBytes: 0, withheld }) as StreamService<unknown, Frame>
    await withheld.during({ period: 5, index: 0 }, async () => {
      assert.equal(await cost(service, { wanted: 'seals', chunkId, offset: 0 }), PERIOD.seals.length)
      assert.equal(await cost(service, { wanted: 'chunk', chunkId }), 4_096 + byteLength)
      assert.equal(await cost(createAuditService(store, withheld), { chunkId, leafIndex: 0 }), byteLength)
    })
  })

  it('manifests cost a block of the database each at least, however small or missing', async () => {
    const chunks = createChunkService(store, { cacheBytes: byteLength }) as StreamService<unknown, Frame>
    assert.deepEqual(
      [await cost(chunks, { wanted: 'chunk', chunkId }), await cost(chunks, { wanted: 'chunk', chunkId })],
      [4_096, 0],
    )
    for (const wanted of ['roots', 'manifests'] as const) {
      const request = { wanted, firstPeriod: 4, periodCount: 10 }
      assert.equal(await cost(createManifestService(store), request), 10 * 4_096)
    }
    const back = { thread: 31, beforePeriod: EMPTY + 1, id: new Uint8Array(33) }
    // As far as there is one: period 0 is not archived.
    assert.equal(await cost(createBlockService(store), { blocks: [back] }), (EMPTY + 1) * 4_096)
    const [chunk = assert.fail('a period has a chunk')] = PERIOD.manifest.chunks
    assert.equal(computeManifestCost({ ...PERIOD.manifest, chunks: Array(16_384).fill(chunk) }), 34 + 16_384 * 36)
  })
})
