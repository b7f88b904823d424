import assert from 'node:assert/strict'
import { type FastifyInstance, fastify } from 'fastify'
import { addGatewayRoutes } from '../../../api/gateway/gateway.ts'
import {
  type ArchivedPeriod,
  compareAddressList,
  computePeriodRoot,
  MAX_CERTIFICATE_PERIODS,
  type ProofSource,
  toHex,
  verifyAddressHistory,
  verifyCompleteness,
} from '../../../core/index.ts'
import { answerRange, MAX_RANGE_PERIODS } from '../../../storage-worker/history/range-answer.ts'
import { makePeriod } from '../../core/reading/made-history.ts'
import { openRecordedArchive } from './recorded-gateway.ts'

interface Answer {
  readonly from: number
  readonly to: number
  readonly next: number | null
  readonly proof: unknown
}

describe('api/gateway/completeness-routes', function () {
  this.timeout(120_000)
  let periods: readonly ArchivedPeriod[]
  let server: FastifyInstance
  let [first, last] = [0, 0]

  before(async () => {
    const archive = await openRecordedArchive()
    periods = archive.periods
    first = periods[0]?.summary.period ?? assert.fail('no period')
    last = first + periods.length - 1
    server = fastify()
    addGatewayRoutes(server, { history: archive.answers })
  })
  after(() => server.close())

  const get = (url: string) => server.inject({ method: 'GET', url })

  async function getAnswer(query: string): Promise<Answer> {
    const answer = await get(`/v1/completeness${query}`)
    assert.equal(answer.statusCode, 200, answer.body)
    return answer.json()
  }

  const findPeriodRoot = (period: number) => periods[period - first]?.summary.root

  it('proves that no period of a range lacks, of all that is archived by default', async () => {
    const { from, to, next, proof } = await getAnswer('')
    assert.deepEqual([from, to, next], [first, last, null])
    const { untrusted, periods: certified } = verifyCompleteness(proof, { from, to }, { findPeriodRoot })
    assert.equal(untrusted, 0)
    assert.deepEqual(
      certified.map(({ root }) => toHex(root)),
      periods.map(({ manifest }) => toHex(computePeriodRoot(manifest))),
    )
  })

  it('with bodies: what each address did, and so whether its list is complete', async () => {
    const { from, to, proof } = await getAnswer(`?from=${first}&to=${last}&bodies=true`)
    const listed = await get(`/v1/operations/${await findAnOperation()}`)
    const address = (listed.json() as { operation: { creator: string } }).operation.creator
    const { history } = verifyAddressHistory(proof, { address, from, to }, { findPeriodRoot })
    assert.equal(history.scannedBodies + history.emptyPeriods, periods.length)
    const list = await get(`/v1/addresses/${address}/operations?limit=100`)
    const given = (list.json() as { operations: { operationId: string; inclusions: [{ slot: never }] }[] }).operations
    const entries = given.map(({ operationId, inclusions: [{ slot }] }) => ({ id: operationId, slot }))
    assert(entries.length > 6 && entries.length < 100)
    assert.deepEqual(compareAddressList(history, entries), { missing: [], surplus: [] })
  })

  async function findAnOperation(): Promise<string> {
    for (const { manifest } of periods.toReversed()) {
      for (let thread = 0; thread < 32; thread++) {
        const { block } = (await get(`/v1/slots/${manifest.period}/${thread}`)).json() as {
          block?: { operations: string[] }
        }
        if (block?.operations[0] !== undefined) return block.operations[0]
      }
    }
    return assert.fail('no operation in the recording')
  }

  for (const [query, status, code] of [
    ['?from=5&to=4', 400, 'API_QUERY_INVALID'],
    ['?from=-1', 400, 'API_QUERY_INVALID'],
    ['?from=1.5', 400, 'API_QUERY_INVALID'],
    ['?bodies=yes', 400, 'API_QUERY_INVALID'],
    ['?address=AU1', 400, 'API_QUERY_INVALID'],
    ['?from=1&to=999999', 404, 'CORE_READING_NOT_HELD'],
    ['?to=9007199254740991', 404, 'CORE_READING_NOT_HELD'],
    ['?to=9007199254740992', 400, 'API_QUERY_INVALID'],
  ] as const) {
    it(`error: ${query} is a problem, ${status} ${code}`, async () => {
      const answer = await get(`/v1/completeness${query}`)
      assert.deepEqual([answer.statusCode, answer.json().code], [status, code], answer.body)
    })
  }

  it('limit: makes two at a time, others wait', async () => {
    const waiting: (() => void)[] = []
    const range = () => new Promise<undefined>((resolve) => waiting.push(() => resolve(undefined)))
    const busy = fastify()
    const { answers } = await openRecordedArchive()
    const history = new Proxy(answers, {
      get: (of, name) => (name === 'range' ? range : Reflect.get(of, name).bind?.(of)),
    })
    addGatewayRoutes(busy, { history })
    const asked = Array.from({ length: 5 }, (_, from) =>
      busy.inject({ method: 'GET', url: `/v1/completeness?from=${from}` }),
    )
    // Each answer lets the next one in.
    for (let made = 0; made < 5; made++) {
      while (waiting.length <= made) await new Promise((resolve) => setImmediate(resolve))
      assert(waiting.length <= made + 2, `${waiting.length - made} at a time`)
      waiting[made]?.()
    }
    assert.deepEqual(
      (await Promise.all(asked)).map(({ statusCode }) => statusCode),
      [404, 404, 404, 404, 404],
    )
    await busy.close()
  })
})

describe('storage-worker/history/range-answer', () => {
  const bytes = 3 * 1024 * 1024
  /** Whatever is asked for; bodies of 3 MiB in every other period. */
  const source = {
    readManifest: async (period: number) => {
      const { manifest } = makePeriod(period, {})
      const [chunk] = manifest.chunks
      const chunks = Array.from({ length: 3 }, () => ({
        chunkId: chunk?.chunkId ?? new Uint8Array(32),
        byteLength: bytes / 3,
      }))
      return period === 999 ? undefined : period % 2 === 0 ? { ...manifest, bitmap: 1, chunks } : manifest
    },
    readChunk: async () => Uint8Array.of(1),
    readSeals: async () => undefined,
    readEra: async () => undefined,
  } satisfies ProofSource
  const archived = { first: 10, last: 5_000 }
  const ask = async (request: Parameters<typeof answerRange>[2]) => {
    const answer = await answerRange(source, archived, request)
    return answer && [answer.from, answer.to, answer.next]
  }

  it('limit: 1,024 periods in an answer, the last by default', async () => {
    assert(MAX_RANGE_PERIODS < MAX_CERTIFICATE_PERIODS)
    assert.deepEqual(await ask({ hasBodies: false }), [3977, 5000, null])
    assert.deepEqual(await ask({ from: 1000, to: 3000, hasBodies: false }), [1000, 2023, 2024])
    assert.deepEqual(await ask({ from: 1000, to: 2023, hasBodies: false }), [1000, 2023, null])
    assert.deepEqual(await ask({ to: 60, hasBodies: false }), [10, 60, null])
  })

  it('limit: 4 MiB of bodies in an answer, one period at least', async () => {
    assert.deepEqual(await ask({ from: 100, to: 200, hasBodies: true }), [100, 101, 102])
    assert.deepEqual(await ask({ from: 101, to: 200, hasBodies: true }), [101, 103, 104])
    assert.deepEqual(await ask({ from: 200, to: 200, hasBodies: true }), [200, 200, null])
  })

  it('error: names what is not archived; of an empty archive there is no answer', async () => {
    const isNotHeld = { code: 'CORE_READING_NOT_HELD' }
    await assert.rejects(ask({ from: 998, to: 1000, hasBodies: false }), isNotHeld)
    await assert.rejects(ask({ from: 4_990, to: 5_001, hasBodies: false }), isNotHeld)
    assert.equal(await answerRange(source, undefined, { hasBodies: false }), undefined)
  })
})
