import assert from 'node:assert/strict'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { type FastifyInstance, fastify } from 'fastify'
import { addGatewayRoutes } from '../../../api/gateway/gateway.ts'
import { parseAttestedExecutions } from '../../../archiver/attestation.ts'
import {
  type ChunkStore,
  computeAddress,
  computeEndorsementHash,
  concatBytes,
  describeOperation,
  formatAddress,
  formatBlockId,
  formatEndorsementId,
  formatOperationId,
  parseBody,
  type RecordedOperation,
} from '../../../core/index.ts'
import { lostOperation, MadeHistory, NETWORK } from '../../core/reading/made-history.ts'
import { openRecordedArchive, openRecordedGateway } from './recorded-gateway.ts'

interface Described {
  readonly parameters?: readonly { readonly name: string; readonly in: string; readonly required: boolean }[]
  readonly responses: Readonly<
    Record<string, { readonly content?: Readonly<Record<string, { readonly schema?: object }>> }>
  >
}

interface Document {
  readonly openapi: string
  readonly paths: Readonly<Record<string, { readonly get: Described }>>
  readonly components: { readonly schemas: Readonly<Record<string, object>> }
}

describe('api/gateway/openapi', function () {
  this.timeout(120_000)
  let server: FastifyInstance
  let document: Document
  const ajv = new Ajv2020({ strict: false })
  before(async () => {
    server = await openRecordedGateway()
    document = (await server.inject('/v1/openapi.json')).json()
    ajv.addSchema(document, 'api')
  })
  after(() => server.close())

  /** @param path - as the document has it */
  async function check(path: string, url: string, status = 200): Promise<void> {
    const answer = await server.inject(url)
    assert.equal(answer.statusCode, status, `${url}: ${answer.body}`)
    const described = document.paths[path]?.get
    assert(described, path)
    const key = status === 200 ? '200' : 'default'
    const type = String(answer.headers['content-type']).replace(/;.*/, '')
    const schema = described.responses[key]?.content?.[type]?.schema
    assert(schema, `${path} does not tell of ${type} at ${status}`)
    const refined = JSON.parse(JSON.stringify(schema).replaceAll('"#/', '"api#/')) as object
    const isValid = ajv.compile(refined)
    assert(isValid(answer.json()), `${url}: ${ajv.errorsText(isValid.errors)}`)
  }

  it('tells of every route that there is, and of every parameter in its path', async () => {
    const bare = fastify()
    const urls: string[] = []
    bare.addHook('onRoute', ({ method, url }) => {
      if (method === 'GET') urls.push(url.replace(/:(\w+)/g, '{$1}'))
    })
    addGatewayRoutes(bare, { history: undefined, store: {} as ChunkStore })
    await bare.ready()
    assert.equal(document.openapi, '3.1.0')
    assert.deepEqual(Object.keys(document.paths), urls.sort())
    for (const [path, { get }] of Object.entries(document.paths)) {
      const named = (get.parameters ?? []).filter((one) => one.in === 'path' && one.required).map(({ name }) => name)
      assert.deepEqual(
        named,
        [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name),
        path,
      )
    }
    await bare.close()
  })

  it('has a schema for what every route answers', async () => {
    const { periods } = await openRecordedArchive()
    const blocks = periods.flatMap(({ chunks }) => parseBody(concatBytes(...chunks)).slots)
    const records = blocks.flatMap((slot) => (slot.kind === 'block' ? [slot.record] : []))
    const record = records.findLast(({ operations, header }) => operations.length > 0 && header.endorsements.length > 0)
    assert(record)
    const { slot, parents, endorsements } = record.header
    const [operation, endorsement, endorsedBlock] = [record.operations[0], endorsements[0], parents[slot.thread]]
    assert(operation && endorsement && endorsedBlock)
    const hash = computeEndorsementHash(endorsement.publicKey, { slot, index: endorsement.index, endorsedBlock })
    const endorsementId = formatEndorsementId(concatBytes(Uint8Array.of(0), hash))
    const address = formatAddress(computeAddress(operation.publicKey))
    const blockId = formatBlockId(record.id)
    for (const proof of ['', '?proof=true']) {
      await check('/v1/blocks/{id}', `/v1/blocks/${blockId}${proof}`)
      await check('/v1/operations/{id}', `/v1/operations/${formatOperationId(operation.id)}${proof}`)
      await check('/v1/endorsements/{id}', `/v1/endorsements/${endorsementId}${proof}`)
      await check('/v1/slots/{period}/{thread}', `/v1/slots/${slot.period}/${slot.thread}${proof}`)
      await check('/v1/periods/{period}', `/v1/periods/${slot.period}${proof}`)
    }
    await check('/v1/addresses/{address}/operations', `/v1/addresses/${address}/operations?limit=100`)
    await check(
      '/v1/addresses/{address}/blocks',
      `/v1/addresses/${formatAddress(computeAddress(record.publicKey))}/blocks`,
    )
    const endorser = formatAddress(computeAddress(endorsement.publicKey))
    await check('/v1/addresses/{address}/endorsements', `/v1/addresses/${endorser}/endorsements?limit=100`)
    const results = periods.flatMap(
      ({ executionResults, manifest }) => parseAttestedExecutions(executionResults, manifest).executions,
    )
    const called = results.flatMap((execution) => execution?.events.flatMap(({ callStack }) => callStack) ?? [])[0]
    for (const proof of ['', '&proof=true'])
      await check('/v1/addresses/{address}/events', `/v1/addresses/${called}/events?limit=100${proof}`)
    await check('/v1/archive', '/v1/archive')
    await check('/v1/search', `/v1/search?q=${blockId}`)
    const range = `from=${slot.period}&to=${slot.period}`
    for (const bodies of ['true', 'false'])
      await check('/v1/completeness', `/v1/completeness?${range}&bodies=${bodies}`)
    await check('/v1/blocks/{id}', '/v1/blocks/B12LnGn6yQZtoam4jGMDs9DqTdDGoUHEbZjGhHksvp7icuvLptTu', 404)
    await check('/v1/periods/{period}', '/v1/periods/x', 400)
  })

  it('has one for an era', async () => {
    const history = new MadeHistory([])
    const readManifest = (period: number) => history.readManifest(period)
    const store = { identity: { network: NETWORK, chunkSizeBytes: 4096 }, readManifest } as unknown as ChunkStore
    const eras = await openRecordedGateway({ store })
    const isValid = ajv.compile({ $ref: 'api#/components/schemas/EraAnswer' })
    assert(isValid((await eras.inject('/era/0')).json()), ajv.errorsText(isValid.errors))
    await eras.close()
  })

  it('has one for every kind of operation', async () => {
    const { periods } = await openRecordedArchive()
    const kinds = new Map<string, RecordedOperation>()
    for (const { chunks } of periods) {
      for (const slot of parseBody(concatBytes(...chunks)).slots) {
        if (slot.kind !== 'block') continue
        for (const one of slot.record.operations) kinds.set(String(describeOperation(one, undefined).body.kind), one)
      }
    }
    assert.deepEqual([...kinds.keys()].sort(), ['call-sc', 'execute-sc', 'roll-buy', 'roll-sell', 'transaction'])
    const isValid = ajv.compile({ $ref: 'api#/components/schemas/Operation' })
    for (const one of [...kinds.values(), lostOperation()]) {
      const said = { inclusions: [], execution: { outcome: 'unknown', isProven: false } }
      const shown = JSON.parse(JSON.stringify({ ...describeOperation(one, undefined), ...said })) as object
      assert(isValid(shown), ajv.errorsText(isValid.errors))
      assert(!isValid({ ...shown, feeNanoMas: 1 }))
    }
  })

  it('finds what it does not tell of', async () => {
    const isValid = ajv.compile({ $ref: 'api#/components/schemas/SearchAnswer' })
    const answer = { kind: 'slot', path: '/', period: 1, thread: 1 }
    assert(isValid(answer))
    assert(!isValid({ ...answer, more: 1 }) && !isValid({ ...answer, kind: 'other' }))
  })
})
