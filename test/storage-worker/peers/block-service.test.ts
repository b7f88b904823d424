import assert from 'node:assert/strict'
import { type ChunkStore, computeBodyBytes, encodeBlockRecord, parseBody, parseSeals } from '../../../core/index.ts'
import { type BlockResponse, blockResponseCodec, type WantedBlock } from '../../../protocol-handler/index.ts'
import type { LevelChunkStore } from '../../../storage-worker/index.ts'
import { createBlockService } from '../../../storage-worker/peers/block-service.ts'
import { WithheldChunks } from '../../../storage-worker/replication/withheld-chunks.ts'
import { openMemoryStore } from '../replication/audited-nodes.ts'
import { makePeriod, TEST_IDENTITY } from '../synthetic-period.ts'

const CHUNK_BYTES = TEST_IDENTITY.chunkSizeBytes
/** A block of the database. */
const MANIFEST_COST = 4_096

describe('storage-worker/peers/block-service', () => {
  const periods = [5, 6].map((period) => makePeriod(period, { blocks: 32, operations: 2, operationBytes: 500 }))
  const bodies = periods.map(({ chunks }) => parseBody(Buffer.concat(chunks)))
  let store: LevelChunkStore

  before(async () => {
    store = await openMemoryStore()
    for (const period of periods) await store.writePeriod(period)
  })

  const blockAt = (period: number, thread: number) => {
    const body = bodies[period - 5]
    const slot = body?.slots[thread]
    assert.ok(body && slot?.kind === 'block')
    return { body, record: slot.record }
  }

  const wantedAt = (period: number, thread: number): WantedBlock => {
    return { thread, beforePeriod: period + 1, id: blockAt(period, thread).record.id }
  }

  /** Answers, chunks that were read as `period/index`, and bytes that they cost. */
  async function ask(blocks: readonly WantedBlock[], from: ChunkStore = store) {
    const read: string[] = []
    const counted = new Proxy(from, {
      get: (target, name) => {
        if (name !== 'readChunk') return Reflect.get(target, name).bind(target)
        return (period: number, index: number) => {
          read.push(`${period}/${index}`)
          return target.readChunk(period, index)
        }
      },
    })
    let cost = 0
    const frames = await createBlockService(counted).answer({ blocks }, 'asker', (bytes) => (cost += bytes))
    return { answers: frames.map((frame): BlockResponse => blockResponseCodec.decode(frame)), read, cost }
  }

  it('gives the bytes that BODY and SEALS have of a block, wherever chunks are cut', async () => {
    for (let thread = 0; thread < 32; thread++) {
      const { body, record } = blockAt(5, thread)
      const { answers } = await ask([wantedAt(5, thread)])
      const seals = parseSeals(periods[0]?.seals ?? new Uint8Array(), body)[thread]
      assert.ok(seals)
      assert.deepEqual(answers, [{ status: 'ok', id: record.id, record: encodeBlockRecord(record), seals }])
    }
  })

  it('reads no chunk behind the block, each once in a request, and tells what it read', async () => {
    const first = await ask([wantedAt(5, 0)])
    assert.deepEqual(first.read, ['5/0'])
    assert.equal(first.cost, MANIFEST_COST + CHUNK_BYTES + (periods[0]?.seals.length ?? 0))

    const chunks = periods[0]?.chunks.length ?? 0
    const inOrder = Array.from({ length: chunks }, (_, index) => `5/${index}`)
    assert.ok(chunks > 4)
    const many = await ask([0, 1, 2, 31].map((thread) => wantedAt(5, thread)))
    assert.deepEqual(many.read, inOrder)
  })

  it('hostile: ids that no block has, in turns of two periods: each period is passed once, and nothing more is read', async () => {
    const wanted = Array.from({ length: 16 }, (_, i) => ({ ...wantedAt(5 + (i % 2), 31), id: new Uint8Array(33) }))
    const { answers, read, cost } = await ask(wanted)
    assert.ok(answers.every(({ status }) => status === 'notHeld'))
    const bodyBytes = periods.reduce((sum, { manifest }) => sum + computeBodyBytes(manifest), 0)
    // The last chunk of each is needed again when its turn comes.
    assert.ok(cost >= bodyBytes && cost < bodyBytes + 16 * 2 * CHUNK_BYTES, `${cost} of ${bodyBytes}`)
    assert.equal(
      new Set(read).size,
      periods.reduce((sum, { chunks }) => sum + chunks.length, 0),
    )
  })

  it('gives no block of a chunk that is withheld, nor what stands behind it', async () => {
    const withheld = new WithheldChunks()
    const service = createBlockService(store, withheld)
    const statuses = await withheld.during({ period: 5, index: 3 }, async () => {
      const frames = await service.answer({ blocks: [wantedAt(5, 0), wantedAt(5, 31), wantedAt(6, 31)] }, 'asker')
      return frames.map((frame) => blockResponseCodec.decode(frame).status)
    })
    assert.deepEqual(statuses, ['ok', 'notHeld', 'ok'])
  })

  it('has nothing of a block that stands behind a chunk that is not held, and what stands before it', async () => {
    const part = await openMemoryStore()
    for (const period of periods) await part.writePeriod(period)
    await part.dropChunks(5, [3])
    const { answers } = await ask([wantedAt(5, 0), wantedAt(5, 31)], part)
    assert.deepEqual(
      answers.map(({ status }) => status),
      ['ok', 'notHeld'],
    )
  })
})
