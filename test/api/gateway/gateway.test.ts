import assert from 'node:assert/strict'
import { type FastifyInstance, fastify } from 'fastify'
import { addGatewayRoutes } from '../../../api/gateway/gateway.ts'
import {
  type ArchivedPeriod,
  computeAddress,
  computeEndorsementHash,
  concatBytes,
  formatAddress,
  formatBlockId,
  formatEndorsementId,
  formatOperationId,
  parseBody,
  type Question,
  toHex,
  verifyProof,
} from '../../../core/index.ts'
import { openRecordedArchive, openRecordedGateway } from './recorded-gateway.ts'

describe('api/gateway', function () {
  this.timeout(120_000)
  let periods: readonly ArchivedPeriod[]
  let server: FastifyInstance

  before(async () => {
    periods = (await openRecordedArchive()).periods
    server = await openRecordedGateway()
  })
  after(() => server.close())

  const get = (url: string, headers: Record<string, string> = {}) => server.inject({ method: 'GET', url, headers })

  async function getJson(url: string): Promise<Record<string, unknown>> {
    const answer = await get(url)
    assert.equal(answer.statusCode, 200, answer.body)
    return answer.json()
  }

  /** Verified with nothing trusted but the roots of the recording. */
  function check(answer: Record<string, unknown>, question: Question): void {
    const rootOf = new Map(periods.map(({ summary }) => [summary.period, summary.root]))
    const { trust } = verifyProof(answer.proof, question, { findPeriodRoot: (period) => rootOf.get(period) })
    assert.equal(trust, 'period-root')
  }

  function* listBlocks() {
    for (const { chunks, manifest } of periods) {
      for (const [thread, slot] of parseBody(concatBytes(...chunks)).slots.entries()) {
        yield { slot: { period: manifest.period, thread }, record: slot.kind === 'block' ? slot.record : undefined }
      }
    }
  }

  it('says what is archived', async () => {
    const { latest, ...range } = await getJson('/v1/archive')
    const { chainId, genesisTimestampMs } = periods[0]?.manifest.network ?? assert.fail('nothing archived')
    const numbers = periods.map(({ summary }) => summary.period)
    assert.deepEqual(range, {
      chainId: String(chainId),
      genesisTimestampMs: String(genesisTimestampMs),
      first: numbers[0],
      last: numbers.at(-1),
    })
    const shown = periods.map(({ summary: { period, root, blocks, operations, bodyBytes } }) => {
      return { period, root: toHex(root), blocks, operations, bytes: bodyBytes }
    })
    assert.deepEqual(latest, shown.reverse().slice(0, 20))
  })

  it('answers by slot, and proves the block or that there is none', async () => {
    let [blocks, misses] = [0, 0]
    for (const { slot, record } of [...listBlocks()].slice(-64)) {
      const answer = await getJson(`/v1/slots/${slot.period}/${slot.thread}?proof=true`)
      assert.equal(answer.kind, record ? 'block' : 'miss')
      check(answer, { kind: record ? 'block-at' : 'slot-empty', slot })
      if (record) blocks++
      else misses++
    }
    assert(blocks > 20 && misses > 0)
  })

  it('answers by block id and operation id, with proofs', async () => {
    const withOperations = [...listBlocks()].filter(({ record }) => (record?.operations.length ?? 0) > 0).slice(0, 10)
    assert.equal(withOperations.length, 10)
    for (const { slot, record } of withOperations) {
      const id = formatBlockId(record?.id ?? new Uint8Array(0))
      const block = await getJson(`/v1/blocks/${id}?proof=true`)
      check(block, { kind: 'block', id })
      assert.deepEqual((block.block as { slot: object }).slot, slot)
      const operation = formatOperationId(record?.operations[0]?.id ?? new Uint8Array(0))
      const found = await getJson(`/v1/operations/${operation}?proof=true`)
      check(found, { kind: 'operation', id: operation })
      const { inclusions, execution } = found.operation as { inclusions: object[]; execution: { outcome: string } }
      assert.deepEqual(inclusions[0], { slot, blockId: id })
      assert.match(execution.outcome, /^(success|failed)$/)
      assert.equal((await getJson(`/v1/operations/${operation}`)).proof, undefined)
    }
  })

  it('answers by endorsement id, with proofs', async () => {
    const carriers = [...listBlocks()].filter(({ record }) => (record?.header.endorsements.length ?? 0) > 0).slice(-3)
    assert.equal(carriers.length, 3)
    for (const { slot, record } of carriers) {
      const [endorsement] = record?.header.endorsements ?? []
      const endorsedBlock = record?.header.parents[slot.thread]
      assert(record && endorsement && endorsedBlock)
      const hash = computeEndorsementHash(endorsement.publicKey, { slot, index: endorsement.index, endorsedBlock })
      const id = formatEndorsementId(concatBytes(Uint8Array.of(0), hash))
      const found = await getJson(`/v1/endorsements/${id}?proof=true`)
      check(found, { kind: 'endorsement', id })
      assert.equal((found.endorsement as { endorsementId: string }).endorsementId, id)
    }
  })

  it('answers by period, and gives its chunks byte by byte', async () => {
    const { manifest, chunks, summary } = periods[3] as ArchivedPeriod
    const answer = await getJson(`/v1/periods/${manifest.period}?proof=true`)
    check(answer, { kind: 'period', period: manifest.period })
    assert.equal((answer.period as { root: string }).root, toHex(summary.root))
    const id = toHex(manifest.chunks[1]?.chunkId ?? new Uint8Array(0))
    const whole = await get(`/chunk/${id}`)
    assert.deepEqual(new Uint8Array(whole.rawPayload), chunks[1])
    for (const [range, start, end] of [
      ['bytes=0-0', 0, 1],
      ['bytes=10-19', 10, 20],
      ['bytes=4000-', 4000, 4096],
      ['bytes=-5', 4091, 4096],
      ['bytes=4090-9999', 4090, 4096],
    ] as const) {
      const part = await get(`/chunk/${id}`, { range })
      assert.equal(part.statusCode, 206, range)
      assert.equal(part.headers['content-range'], `bytes ${start}-${end - 1}/4096`)
      assert.deepEqual(new Uint8Array(part.rawPayload), chunks[1]?.subarray(start, end))
    }
    for (const range of ['bytes=5-1', 'bytes=0-1,3-4', 'lines=1-2', 'bytes=-']) {
      assert.equal((await get(`/chunk/${id}`, { range })).statusCode, 200, range)
    }
    for (const range of ['bytes=4096-', 'bytes=-0']) {
      assert.equal((await get(`/chunk/${id}`, { range })).statusCode, 416, range)
    }
    assert.equal((await get(`/chunk/${id}`, { 'if-none-match': whole.headers.etag as string })).statusCode, 304)
  })

  it('lists operations of an address page by page, the newest first, each of them once', async () => {
    const creators = [...listBlocks()].flatMap(({ record }) => record?.operations ?? [])
    const idsOf = new Map<string, string[]>()
    for (const { publicKey, id } of creators) {
      const creator = formatAddress(computeAddress(publicKey))
      idsOf.set(creator, [formatOperationId(id), ...(idsOf.get(creator) ?? [])])
    }
    const [busiest] = [...idsOf].sort(([, a], [, b]) => b.length - a.length)
    assert(busiest)
    const [address, wanted] = busiest
    assert(wanted.length > 6)
    const found: string[] = []
    let cursor: unknown = ''
    while (cursor !== null) {
      const query = cursor === '' ? '' : `&cursor=${cursor}`
      const page = await getJson(`/v1/addresses/${address}/operations?role=creator&limit=3${query}`)
      found.push(...(page.operations as { operationId: string }[]).map(({ operationId }) => operationId))
      cursor = page.cursor
    }
    assert.deepEqual(found, wanted)
  })

  for (const [url, status, code] of [
    ['/v1/blocks/nonsense', 400, 'CORE_BASE58_INVALID'],
    ['/v1/blocks/B12LnGn6yQZtoam4jGMDs9DqTdDGoUHEbZjGhHksvp7icuvLptTu', 404, 'API_HISTORY_UNKNOWN'],
    ['/v1/operations/O12fxbmaVz5rophPjVFta7Ckhc6sMJJV9BSe1FNNRfPbr6Z4SSN1', 404, 'API_HISTORY_UNKNOWN'],
    ['/v1/operations/O12fxbmaVz5rophPjVFta7Ckhc6sMJJV9BSe1FNNRfPbr6Z4SSN1?proof=maybe', 400, 'API_QUERY_INVALID'],
    ['/v1/slots/5/32', 400, 'API_QUERY_INVALID'],
    ['/v1/slots/-1/3', 400, 'API_QUERY_INVALID'],
    ['/v1/slots/99999/3', 404, 'API_HISTORY_UNKNOWN'],
    ['/v1/periods/1.5', 400, 'API_QUERY_INVALID'],
    ['/v1/periods/', 400, 'API_QUERY_INVALID'],
    ['/v1/periods/0x10', 400, 'API_QUERY_INVALID'],
    ['/v1/periods/1e3', 400, 'API_QUERY_INVALID'],
    ['/v1/addresses/AU1/operations', 400, 'CORE_BASE58_INVALID'],
    [
      '/v1/addresses/AU12UN5gcQ5gck2oCtw8YWEX9FcSXAxFVosCJiv7rXYK8qi68t268/operations?limit=101',
      400,
      'API_QUERY_INVALID',
    ],
    [
      '/v1/addresses/AU12UN5gcQ5gck2oCtw8YWEX9FcSXAxFVosCJiv7rXYK8qi68t268/operations?cursor=x',
      400,
      'API_QUERY_INVALID',
    ],
    ['/chunk/..%2f..%2fetc%2fpasswd', 400, 'API_QUERY_INVALID'],
    [`/chunk/${'0'.repeat(64)}`, 404, 'API_HISTORY_UNKNOWN'],
  ] as const) {
    it(`error: ${url.slice(0, 60)} is a problem, ${status} ${code}`, async () => {
      const answer = await get(url)
      assert.equal(answer.statusCode, status, answer.body)
      assert.match(String(answer.headers['content-type']), /^application\/problem\+json/)
      const problem = answer.json() as Record<string, unknown>
      assert.deepEqual([problem.code, problem.status], [code, status])
    })
  }

  it('error: says so where no index is kept', async () => {
    const bare = fastify()
    addGatewayRoutes(bare, { history: undefined })
    const answer = await bare.inject({ method: 'GET', url: '/v1/slots/1/1' })
    assert.deepEqual([answer.statusCode, answer.json().code], [409, 'API_HISTORY_OFF'])
    await bare.close()
  })
})
