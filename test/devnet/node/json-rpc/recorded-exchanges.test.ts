import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { type JsonRpcServer, startJsonRpcServer } from '../../../../devnet/node/index.ts'
import { computeShape, diffShapes } from './json-shape.ts'
import { makeScene, NOW_MS, type Scene } from './recorded-scene.ts'

interface Exchange {
  readonly case: string
  readonly http: { readonly method: string; readonly headers: Record<string, string> }
  readonly request: string
  readonly status: number
  readonly contentType: string
  readonly response: string
}

const FILE = new URL('../../../fixtures/sandbox-jsonrpc/exchanges.ndjson.gz', import.meta.url)
const EXCHANGES = gunzipSync(readFileSync(FILE))
  .toString()
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as Exchange)

/** Answers that hold what another chain has, with the reason: compared by what stands where. docs/DEVNET_EVIDENCE.md lists them. */
const COMPARED = JSON.parse(
  readFileSync(new URL('../../../fixtures/sandbox-jsonrpc/compared.json', import.meta.url), 'utf8'),
) as { readonly byShape: Readonly<Record<string, string>> }
const OF_THE_CHAIN: ReadonlySet<string> = new Set(Object.keys(COMPARED.byShape))

describe('devnet/node/json-rpc, what a massa-node (MAIN.3.0) answered to recorded requests', () => {
  let scene: Scene
  let server: JsonRpcServer

  before(async function () {
    this.timeout(60_000)
    scene = await makeScene()
    server = await startJsonRpcServer({ chain: scene.chain, clock: { nowMs: () => NOW_MS } })
  })

  after(() => server.close())

  const replay = async ({ case: name, http, request }: Exchange) => {
    const body = http.method === 'POST' ? { body: scene.translate(name, request) } : {}
    return await fetch(server.url, { ...http, ...body })
  }

  it('every recorded exchange is replayed once', () => {
    assert.equal(EXCHANGES.length, 90)
    const names = new Set(EXCHANGES.map((exchange) => exchange.case))
    assert.deepEqual(
      [...OF_THE_CHAIN].filter((name) => !names.has(name)),
      [],
    )
    assert.equal(names.size, EXCHANGES.length)
  })

  for (const exchange of EXCHANGES) {
    const { case: name, status, contentType, response } = exchange
    const isShaped = OF_THE_CHAIN.has(name)
    it(`${name}: ${isShaped ? 'the same fields, order and kinds' : 'the same text'}, status and content type`, async () => {
      const answer = await replay(exchange)
      const text = await answer.text()
      assert.equal(answer.status, status)
      assert.equal(answer.headers.get('content-type'), contentType)
      if (!isShaped) return assert.equal(text, response)
      const difference = diffShapes(computeShape(JSON.parse(response)), computeShape(JSON.parse(text)))
      return assert.deepEqual(difference, { missing: [], extra: [] })
    })
  }
})
