import assert from 'node:assert/strict'
import type { FastifyInstance } from 'fastify'
import {
  computeAddress,
  computeEndorsementHash,
  concatBytes,
  formatAddress,
  formatBlockId,
  formatEndorsementId,
  formatOperationId,
  parseBody,
  toHex,
} from '../../../core/index.ts'
import { openRecordedArchive, openRecordedGateway } from './recorded-gateway.ts'

describe('api/gateway/search', function () {
  this.timeout(120_000)
  let server: FastifyInstance
  before(async () => {
    server = await openRecordedGateway()
  })
  after(() => server.close())

  const search = (q: string) => server.inject({ method: 'GET', url: '/v1/search', query: { q } })

  it('says what a text is and where it is shown', async () => {
    const { periods } = await openRecordedArchive()
    const period = periods.find(({ summary }) => summary.operations > 0)
    assert(period)
    const { slots } = parseBody(concatBytes(...period.chunks))
    const at = slots.findIndex((one) => one.kind === 'block' && one.record.operations.length > 0)
    const block = slots[at]
    assert(block?.kind === 'block')
    const [operation] = block.record.operations
    assert(operation)
    const slot = { period: period.manifest.period, thread: at }
    const none = { period: null, thread: null }
    const blockId = formatBlockId(block.record.id)
    const operationId = formatOperationId(operation.id)
    const { slots: next } = parseBody(concatBytes(...(periods.at(-1)?.chunks ?? [])))
    const carrier = next.find((one) => one.kind === 'block' && one.record.header.endorsements.length > 0)
    assert(carrier?.kind === 'block')
    const endorsed = carrier.record.header
    const [endorsement] = endorsed.endorsements
    const endorsedBlock = endorsed.parents[endorsed.slot.thread]
    assert(endorsement && endorsedBlock)
    const content = { slot: endorsed.slot, index: endorsement.index, endorsedBlock }
    const hash = computeEndorsementHash(endorsement.publicKey, content)
    const endorsementId = formatEndorsementId(concatBytes(Uint8Array.of(0), hash))
    const address = formatAddress(computeAddress(operation.publicKey))
    const chunkId = toHex(period.manifest.chunks[0]?.chunkId ?? new Uint8Array())
    const cases = [
      [blockId, { kind: 'block', path: `/v1/blocks/${blockId}`, ...slot }],
      [` ${operationId} `, { kind: 'operation', path: `/v1/operations/${operationId}`, ...slot }],
      [endorsementId, { kind: 'endorsement', path: `/v1/endorsements/${endorsementId}`, ...endorsed.slot }],
      [address, { kind: 'address', path: `/v1/addresses/${address}/operations`, ...none }],
      [chunkId, { kind: 'chunk', path: `/chunk/${chunkId}`, ...none }],
      [`${slot.period}.${at}`, { kind: 'slot', path: `/v1/slots/${slot.period}/${at}`, ...slot }],
      [`${slot.period}/${at}`, { kind: 'slot', path: `/v1/slots/${slot.period}/${at}`, ...slot }],
      [`${slot.period}`, { kind: 'period', path: `/v1/periods/${slot.period}`, period: slot.period, thread: null }],
    ] as const
    for (const [q, wanted] of cases) {
      const answer = await search(q)
      assert.deepEqual(answer.json(), wanted, q)
      assert.equal((await server.inject({ method: 'GET', url: wanted.path })).statusCode, 200, wanted.path)
    }
  })

  it('finds an address by whatever it did, operations first', async () => {
    const { answers } = await openRecordedArchive()
    const address = 'AU12UN5gcQ5gck2oCtw8YWEX9FcSXAxFVosCJiv7rXYK8qi68t268'
    const lists = ['operations', 'blocks', 'endorsements', 'events'] as const
    for (const [at, list] of lists.entries()) {
      const page = (name: string) => async () => ({ [name]: lists.indexOf(name as typeof list) >= at ? [{}] : [] })
      const own = Object.fromEntries(lists.map((name) => [`${name}Of`, page(name)]))
      const answering = await openRecordedGateway({ history: Object.assign(Object.create(answers), own) })
      const answer = await answering.inject({ method: 'GET', url: '/v1/search', query: { q: address } })
      const none = { period: null, thread: null }
      assert.deepEqual(answer.json(), { kind: 'address', path: `/v1/addresses/${address}/${list}`, ...none })
      await answering.close()
    }
  })

  for (const [q, status, code] of [
    ['', 400, 'API_QUERY_INVALID'],
    ['x'.repeat(101), 400, 'API_QUERY_INVALID'],
    ['../../etc/passwd', 404, 'API_HISTORY_UNKNOWN'],
    ['hello', 404, 'API_HISTORY_UNKNOWN'],
    ['5.32', 404, 'API_HISTORY_UNKNOWN'],
    ['99999', 404, 'API_HISTORY_UNKNOWN'],
    ['99999.1', 404, 'API_HISTORY_UNKNOWN'],
    ['0'.repeat(64), 404, 'API_HISTORY_UNKNOWN'],
    ['B12LnGn6yQZtoam4jGMDs9DqTdDGoUHEbZjGhHksvp7icuvLptTu', 404, 'API_HISTORY_UNKNOWN'],
    ['AU12UN5gcQ5gck2oCtw8YWEX9FcSXAxFVosCJiv7rXYK8qi68t268', 404, 'API_HISTORY_UNKNOWN'],
    // A letter mistyped.
    ['AU12UN5gcQ5gck2oCtw8YWEX9FcSXAxFVosCJiv7rXYK8qi68t269', 400, 'CORE_BASE58_INVALID'],
  ] as const) {
    it(`error: '${q.slice(0, 30)}' is a problem, ${status} ${code}`, async () => {
      const answer = await search(q)
      assert.deepEqual([answer.statusCode, answer.json().code], [status, code], answer.body)
    })
  }
})
