import assert from 'node:assert/strict'
import {
  auditResponseCodec,
  chunkResponseCodec,
  type StreamService,
  sealsResponseCodec,
} from '../../../protocol-handler/index.ts'
import { createAuditService } from '../../../storage-worker/peers/audit-service.ts'
import { createChunkService } from '../../../storage-worker/peers/chunk-service.ts'
import { joinFrame } from '../../join-frame.ts'
import { makePeriod } from '../synthetic-period.ts'
import { openTestStore, TempFolders } from '../temp-store.ts'

const PERIOD = makePeriod(5, { blocks: 5, operations: 4, operationBytes: 900 })
const [{ chunkId, byteLength } = assert.fail('a period has a chunk')] = PERIOD.manifest.chunks
const SMALL = makePeriod(6, { blocks: 1, operations: 0 })
const [{ chunkId: otherId } = assert.fail('a period has a chunk')] = SMALL.manifest.chunks

describe('storage-worker/peers/chunk-service', () => {
  const folders = new TempFolders()
  after(() => folders.clean())

  async function open(cacheBytes: number) {
    const store = await openTestStore(await folders.make())
    await store.chunks.writePeriod(PERIOD)
    await store.chunks.writePeriod(SMALL)
    const served: string[] = []
    const service = createChunkService(store.chunks, { cacheBytes, onServed: (from) => served.push(from) })
    const askFor = async <Q>(asked: StreamService<Q, never>, request: Q): Promise<Uint8Array> => {
      const [frame = assert.fail('nothing is answered')] = await asked.answer(request, 'asker')
      return joinFrame(frame)
    }
    const fetch = async (id: Uint8Array) =>
      chunkResponseCodec.decode(
        await askFor(service as StreamService<unknown, never>, { wanted: 'chunk', chunkId: id }),
      )
    return { store, service, served, fetch, askFor }
  }

  it('gives from memory what it gave lately, the same bytes with the same place', async () => {
    const { store, served, fetch } = await open(byteLength)
    const first = await fetch(chunkId)
    assert.deepEqual(await fetch(chunkId), first)
    assert.deepEqual(served, ['disk', 'cache'])
    assert.ok(first.status === 'ok')
    assert.deepEqual([...first.data], [...(PERIOD.chunks[0] ?? [])])
    await store.close()
  })

  it('limit: keeps no more bytes than it may, and nothing that it does not hold', async () => {
    const { store, served, fetch } = await open(byteLength)
    for (const id of [chunkId, otherId, chunkId]) await fetch(id)
    assert.deepEqual(served, ['disk', 'disk', 'disk'])
    assert.deepEqual(await fetch(new Uint8Array(32)), { status: 'notHeld' })
    assert.equal(served.length, 3)
    await store.close()
  })

  it('an audit reads the disk, whatever is in memory; SEALS are read, too', async () => {
    const { store, service, fetch, askFor } = await open(byteLength)
    await fetch(chunkId)
    await store.chunks.deletePeriods(5, 5)
    assert.equal((await fetch(chunkId)).status, 'ok')
    const audit = createAuditService(store.chunks) as StreamService<unknown, never>
    assert.deepEqual(auditResponseCodec.decode(await askFor(audit, { chunkId, leafIndex: 0 })), { status: 'notHeld' })
    const seals = { wanted: 'seals', chunkId, offset: 0 }
    const answer = await askFor(service as StreamService<unknown, never>, seals)
    assert.deepEqual(sealsResponseCodec.decode(answer), { status: 'notHeld' })
    await store.close()
  })
})
