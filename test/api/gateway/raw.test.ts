import assert from 'node:assert/strict'
import type { FastifyInstance } from 'fastify'
import {
  type ArchivedPeriod,
  type ChunkStore,
  computeEraRoot,
  concatBytes,
  formatBlockId,
  fromHex,
  parseBody,
  toHex,
} from '../../../core/index.ts'
import { openArchiveFile } from '../../../storage-worker/archive-file/file-reader.ts'
import { openHttpSource } from '../../../storage-worker/archive-file/http-source.ts'
import { MadeHistory, NETWORK } from '../../core/reading/made-history.ts'
import { openRecordedArchive, openRecordedGateway } from './recorded-gateway.ts'

describe('api/gateway/raw', function () {
  this.timeout(120_000)
  let periods: readonly ArchivedPeriod[]
  let server: FastifyInstance
  let url: string
  before(async () => {
    periods = (await openRecordedArchive()).periods
    server = await openRecordedGateway()
    url = await server.listen({ host: '127.0.0.1', port: 0 })
  })
  after(() => server.close())

  const get = (path: string, headers: Record<string, string> = {}) =>
    server.inject({ method: 'GET', url: path, headers })

  it('gives a period as an archive file, which is read by ranges like any other', async () => {
    const { manifest, summary, chunks, seals } = periods[3] as ArchivedPeriod
    const { period } = manifest
    const source = await openHttpSource(`${url}/period/${period}`, new AbortController().signal)
    const file = await openArchiveFile(source)
    assert.deepEqual(
      file.periods.map((place) => [place.period, toHex(place.root)]),
      [[period, toHex(summary.root)]],
    )
    const whole = await get(`/period/${period}`)
    assert.equal(whole.rawPayload.length, source.sizeBytes)
    const bytes = new Uint8Array(whole.rawPayload)
    const has = (part: Uint8Array) => Buffer.from(bytes).includes(Buffer.from(part))
    assert([...chunks, seals].every(has))
    const head = await server.inject({ method: 'HEAD', url: `/period/${period}` })
    assert.deepEqual([head.statusCode, head.headers['content-length']], [200, String(bytes.length)])
    const name = `massa-chain${manifest.network.chainId}-${period}-${period}-`
    assert(String(whole.headers['content-disposition']).startsWith(`attachment; filename="${name}`))
  })

  it('gives parts of it, and nothing to who has it already', async () => {
    const path = `/period/${periods[3]?.manifest.period}`
    const whole = await get(path)
    const etag = String(whole.headers.etag)
    // Its number binds no byte of it: signatures and results may come.
    assert.equal(whole.headers['cache-control'], 'no-cache')
    for (const known of [etag, `"x", ${etag}`, `W/${etag}`, '*']) {
      const answer = await get(path, { 'if-none-match': known })
      assert.deepEqual([answer.statusCode, answer.body], [304, ''], known)
    }
    assert.equal((await get(path, { 'if-none-match': '"x"' })).statusCode, 200)
    const part = await get(path, { range: 'bytes=100-199', 'if-range': etag })
    assert.equal(part.statusCode, 206)
    assert.deepEqual(part.rawPayload, whole.rawPayload.subarray(100, 200))
    // A part of another version is of no use.
    assert.equal((await get(path, { range: 'bytes=100-199', 'if-range': '"x"' })).statusCode, 200)
    const past = await get(path, { range: `bytes=${whole.rawPayload.length}-` })
    assert.deepEqual([past.statusCode, past.headers['content-range']], [416, `bytes */${whole.rawPayload.length}`])
  })

  it('binds by the id in the path every byte of a chunk, and of nothing else', async () => {
    const { manifest, chunks } = periods[3] as ArchivedPeriod
    const id = toHex(manifest.chunks[0]?.chunkId ?? new Uint8Array())
    const cachingOf = async (path: string) => {
      const { statusCode, headers } = await get(path)
      assert.deepEqual([statusCode, typeof headers.etag], [200, 'string'], path)
      return headers['cache-control']
    }
    assert.equal(await cachingOf(`/chunk/${id}`), 'public, max-age=31536000, immutable')
    const [record] = parseBody(concatBytes(...chunks)).slots.flatMap((slot) =>
      slot.kind === 'block' ? slot.record : [],
    )
    const block = formatBlockId(record?.id ?? new Uint8Array(33))
    const paths = [`blocks/${block}`, `blocks/${block}?proof=true`, `slots/${manifest.period}/3`]
    for (const path of paths.concat(`periods/${manifest.period}`, 'archive', 'completeness')) {
      assert.equal(await cachingOf(`/v1/${path}`), 'no-cache', path)
    }
  })

  it('gives an era such that its root is computed from the answer alone', async () => {
    const history = new MadeHistory([])
    const store = {
      identity: { network: NETWORK, chunkSizeBytes: 4096 },
      readManifest: (period: number) => history.readManifest(period),
    }
    const eras = await openRecordedGateway({ store: store as unknown as ChunkStore })
    const answer = await eras.inject({ method: 'GET', url: '/era/0' })
    const era = answer.json() as Record<
      'chainId' | 'genesisTimestampMs' | 'totalBytes' | 'totalChunks' | 'root',
      string
    > & { era: number; periodRoots: string[] }
    const network = { chainId: BigInt(era.chainId), genesisTimestampMs: BigInt(era.genesisTimestampMs) }
    const totals = { network, era: era.era, totalBytes: BigInt(era.totalBytes), totalChunks: BigInt(era.totalChunks) }
    assert.equal(toHex(computeEraRoot(totals, era.periodRoots.map(fromHex))), era.root)
    assert.equal(era.root, toHex(history.eraRoot))
    assert.deepEqual([answer.headers.etag, era.periodRoots.length], [`"${era.root}"`, 128])
    const again = await eras.inject({ method: 'GET', url: '/era/0', headers: { 'if-none-match': `"${era.root}"` } })
    assert.deepEqual([again.statusCode, again.headers['cache-control']], [304, 'no-cache'])
    await eras.close()
  })

  for (const [path, status, code] of [
    ['/period/99999', 404, 'API_HISTORY_UNKNOWN'],
    ['/period/-1', 400, 'API_QUERY_INVALID'],
    ['/period/..%2f3', 400, 'API_QUERY_INVALID'],
    ['/era/0', 404, 'API_HISTORY_UNKNOWN'],
    ['/era/4294967296', 400, 'API_QUERY_INVALID'],
  ] as const) {
    it(`error: ${path} is a problem, ${status} ${code}`, async () => {
      const answer = await get(path)
      assert.deepEqual([answer.statusCode, answer.json().code], [status, code])
      assert.equal(answer.headers.etag, undefined)
    })
  }
})
