import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { type FastifyInstance, fastify } from 'fastify'
import { addExportRoutes } from '../../../api/gateway/export-routes.ts'
import { openGatewayScope } from '../../../api/gateway/typed-scope.ts'
import type { ChunkStore } from '../../../core/index.ts'
import { listOperations, type OperationRow } from '../../../storage-worker/archive-file/export-operations.ts'
import { buildFile } from '../../core/archive-file/whole-file.ts'
import { until } from '../../turns.ts'
import { openRecordedArchive, openRecordedGateway, type RecordedArchive } from './recorded-gateway.ts'

describe('api/gateway/export', function () {
  this.timeout(120_000)
  let archive: RecordedArchive
  let server: FastifyInstance
  let first: number
  let last: number
  before(async () => {
    archive = await openRecordedArchive()
    const periods = archive.periods.map(({ manifest }) => manifest.period)
    first = periods[0] ?? 0
    // Up to the first hole.
    last = periods.findLast((period, i) => period === first + i) ?? 0
    assert(last > first + 1)
    server = await openRecordedGateway()
  })
  after(() => server.close())

  const get = (url: string) => server.inject({ method: 'GET', url })
  const rowsOf = async (address?: string): Promise<OperationRow[]> => {
    const rows: OperationRow[] = []
    for await (const some of listOperations(archive.store, { from: first, to: last, address })) rows.push(...some.rows)
    return rows
  }

  it('gives periods as the file that an export to disk is', async () => {
    const answer = await get(`/v1/export?from=${first}&to=${last}`)
    assert.equal(answer.statusCode, 200, answer.body.slice(0, 300))
    const whole = buildFile(archive.store.identity, archive.periods.slice(0, last - first + 1))
    assert(Buffer.from(whole).equals(answer.rawPayload))
    const name = `massa-chain${archive.store.identity.network.chainId}-${first}-${last}.mhs`
    assert.equal(answer.headers['content-disposition'], `attachment; filename="${name}"`)
  })

  it('gives operations as lines of JSON and as a table, all or those of an address', async () => {
    const range = `from=${first}&to=${last}`
    const rows = await rowsOf()
    const parse = (body: string) =>
      body
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as OperationRow)
    const ndjson = await get(`/v1/export?${range}&format=ndjson`)
    assert.equal(ndjson.headers['content-type'], 'application/x-ndjson')
    assert.deepEqual(parse(ndjson.body), rows)
    const address = rows[0]?.creator ?? ''
    const own = await get(`/v1/export?${range}&format=ndjson&address=${address}`)
    assert.deepEqual(parse(own.body), await rowsOf(address))
    const csv = await get(`/v1/export?${range}&format=csv`)
    const lines = csv.body.split('\r\n')
    assert.match(lines[0] ?? '', /^period,thread,block,operation,/)
    assert.equal(lines.length, rows.length + 2)
  })

  it('limit: so many periods and no more', async () => {
    const most = await get(`/v1/export?from=${first}&to=${first + 1_023}`)
    assert.equal(most.json().code, 'STORE_EXPORT_INCOMPLETE')
    const more = await get(`/v1/export?from=${first}&to=${first + 1_024}`)
    assert.equal(more.json().code, 'API_QUERY_INVALID')
  })

  for (const [query, status, code] of [
    ['from=5', 400, 'API_QUERY_INVALID'],
    ['from=5&to=4', 400, 'API_QUERY_INVALID'],
    ['from=5&to=5&format=xml', 400, 'API_QUERY_INVALID'],
    ['from=5&to=5&address=AU1&format=csv', 400, 'CORE_BASE58_INVALID'],
    ['from=5&to=5&address=AU12UN5gcQ5gck2oCtw8YWEX9FcSXAxFVosCJiv7rXYK8qi68t268', 400, 'API_QUERY_INVALID'],
    ['from=99998&to=99999', 404, 'STORE_EXPORT_INCOMPLETE'],
  ] as const) {
    it(`error: ${query.slice(0, 40)} is a problem, ${status} ${code}`, async () => {
      const answer = await get(`/v1/export?${query}`)
      assert.deepEqual([answer.statusCode, answer.json().code], [status, code])
    })
  }

  it('limit: reads no further than it is read, has four at a time, and cuts off who takes up nothing', async () => {
    let reads = 0
    const size = 1_000_000
    const store = Object.assign(Object.create(archive.store) as ChunkStore, {
      readRange: async () => ({ first, last: first + 1_000 }),
      listSummaries: async function* () {
        for (let period = first; period <= first + 1_000; period++) yield { period }
      },
      readHolding: async () => undefined,
      readManifest: async (period: number) => {
        reads++
        const manifest = await archive.store.readManifest(first)
        const [chunk] = manifest?.chunks ?? []
        return manifest && { ...manifest, period, chunks: chunk ? [chunk] : [] }
      },
      readChunk: async () => new Uint8Array(size),
      readSeals: async () => new Uint8Array(1),
      readExecutionResults: async () => archive.store.readExecutionResults(first),
    })
    const slow = fastify({ forceCloseConnections: true })
    openGatewayScope(slow, (scope) => addExportRoutes(scope, { store }, 300))
    await slow.listen({ host: '127.0.0.1', port: 0 })
    const { port } = slow.server.address() as AddressInfo
    const path = `/v1/export?from=${first}&to=${first + 999}`
    const served: Socket[] = []
    slow.server.on('connection', (socket: Socket) => served.push(socket))
    const readers = Array.from({ length: 4 }, () => connect({ host: '127.0.0.1', port }).pause())
    for (const reader of readers) {
      reader.on('error', () => undefined)
      reader.write(`GET ${path} HTTP/1.1\r\nhost: localhost\r\n\r\n`)
      const [, answer] = (await once(slow.server, 'request')) as [unknown, ServerResponse]
      await until(() => answer.headersSent, 'the answer')
    }
    const busy = await slow.inject(path)
    assert.deepEqual([busy.json().code, busy.headers['retry-after']], ['API_BUSY', '10'])
    assert.equal((await slow.inject({ method: 'HEAD', url: path })).statusCode, 404)
    await Promise.all(served.map((socket) => once(socket, 'close')))
    assert(reads < 200, `${reads} periods for four who read nothing`)
    for (const reader of readers) reader.destroy()
    await slow.close()
  })

  it('limit: who hangs up before his export begins takes no place of others', async () => {
    let release = (): void => undefined
    const gate = new Promise<void>((resolve) => {
      release = resolve
    })
    let looking = 0
    const store = Object.assign(Object.create(archive.store) as ChunkStore, {
      listSummaries: async function* (...range: Parameters<ChunkStore['listSummaries']>) {
        looking++
        await gate
        yield* archive.store.listSummaries(...range)
      },
    })
    const hasty = fastify({ forceCloseConnections: true })
    openGatewayScope(hasty, (scope) => addExportRoutes(scope, { store }))
    await hasty.listen({ host: '127.0.0.1', port: 0 })
    const { port } = hasty.server.address() as AddressInfo
    const path = `/v1/export?from=${first}&to=${last}`
    for (let i = 1; i <= 4; i++) {
      const client = connect({ host: '127.0.0.1', port })
      client.write(`GET ${path} HTTP/1.1\r\nhost: localhost\r\n\r\n`)
      const [, answer] = (await once(hasty.server, 'request')) as [unknown, ServerResponse]
      await until(() => looking === i, 'the look at what there is')
      client.destroy()
      await once(answer, 'close')
    }
    release()
    assert.equal((await hasty.inject(path)).statusCode, 200)
    await hasty.close()
  })
})
