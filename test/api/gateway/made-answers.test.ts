import assert from 'node:assert/strict'
import { type FastifyInstance, fastify } from 'fastify'
import { addGatewayRoutes } from '../../../api/gateway/gateway.ts'
import { computePeriodRoot, formatAddress, toHex } from '../../../core/index.ts'
import { HistoryIndex } from '../../../storage-worker/history/history-index.ts'
import { HistorySync } from '../../../storage-worker/history/history-sync.ts'
import { HistoryAnswers, HistoryReader, LevelChunkStore } from '../../../storage-worker/index.ts'
import { makeAddress, pay } from '../../cli/gateway-place.ts'
import { attest } from '../../core/reading/made-attestation.ts'
import { call, endorsementIdOf, MadeHistory, makePeriod, NETWORK } from '../../core/reading/made-history.ts'
import { hasPython, type KnownRoots, nameNetwork } from '../../core/reading/second-implementation.ts'
import { SimRandom } from '../../sim/sim-random.ts'
import { toArchived } from '../../storage-worker/history/archived-period.ts'
import { openMemoryLevel } from '../../storage-worker/temp-store.ts'
import { type AnswerCase, type AnswerResult, askCase, flipAnswers, verifyElsewhere } from './recorded-answers.ts'

/* No recording is as long as an era: what an archive answers that has a whole one. */

/** Of each answer; `npm run answers` tries more. */
const FLIPS = process.env.ANSWER_RUNS ? 40 : 1
const SEED = process.env.ANSWER_SEED ?? (process.env.ANSWER_RUNS ? String(Date.now()) : '1')

const PAYEE = makeAddress(7)
const SLOT = { period: 9, thread: 2 }
const busy = makePeriod(9, { 2: [pay(1, PAYEE), call(2, 3000)], 30: [] }, 4096)
const history = new MadeHistory([makePeriod(5, { 1: [pay(3, PAYEE)] }), busy])

/** What each request of `listRequests` is verified to be. */
const VERIFIED: readonly string[] = [
  ...['block', 'operation', 'endorsement', 'slot, block', 'slot, miss', 'period', 'completeness'],
  ...['completeness with bodies', 'address, operations', 'search', 'archive', 'era'],
]

/** What an archiver says of an operation: once, and twice. */
const operationId = busy.blocks[0]?.operationIds[0] ?? assert.fail('no operation')
const success = { operationId, outcome: 'success' } as const
const unknown = { operationId, outcome: 'unknown' } as const
const operation = `/v1/operations/${operationId}?proof=true`
const TOLD = [[success], [success, unknown], [unknown, success]]

async function openGateway(): Promise<FastifyInstance> {
  const identity = { network: NETWORK, chunkSizeBytes: 4096 }
  const databases = { bodies: await openMemoryLevel('bodies'), index: await openMemoryLevel('index') }
  const store = new LevelChunkStore(identity, databases)
  for (const [, period] of [...history.periods].sort(([a], [b]) => a - b)) await store.writePeriod(toArchived(period))
  const index = new HistoryIndex(await openMemoryLevel('history'))
  await new HistorySync({ store, index }).compare()
  const server = fastify()
  addGatewayRoutes(server, {
    history: new HistoryAnswers({ reader: new HistoryReader({ store, index }), store }),
    store,
  })
  return server
}

function chunksOf(period: number): string[] {
  return history.manifestOf(period).chunks.map(({ chunkId }) => `/chunk/${toHex(chunkId)}`)
}

/** Each route that has something of the era, and what it is verified by. */
function listRequests(): Readonly<Record<string, readonly string[]>> {
  const whole = (period: number) => [`/v1/periods/${period}?proof=true`, ...chunksOf(period)]
  return {
    [`/v1/blocks/${busy.blocks[0]?.id}?proof=true`]: [],
    [operation]: [],
    [`/v1/endorsements/${endorsementIdOf(SLOT)}?proof=true`]: [],
    '/v1/slots/9/2?proof=true': [],
    '/v1/slots/9/3?proof=true': [],
    '/v1/periods/9?proof=true': chunksOf(9),
    '/v1/completeness?from=3&to=60': [],
    '/v1/completeness?from=0&to=127&bodies=true': [],
    [`/v1/addresses/${formatAddress(PAYEE)}/operations?from=3&to=20`]: ['/v1/completeness?from=3&to=20&bodies=true'],
    '/v1/search?q=9.2': ['/v1/slots/9/2?proof=true'],
    '/v1/archive': [...whole(0), ...Array.from({ length: 28 }, (_, i) => whole(100 + i)).flat()],
    '/era/0': [],
  }
}

describe('api/gateway: the second implementation and a whole era', function () {
  this.timeout(FLIPS > 1 ? 0 : 60_000)
  const byEra = { network: nameNetwork(NETWORK), eraRoots: { 0: toHex(history.eraRoot) } }
  const roots = [...history.periods].map(([period, { manifest }]) => [period, toHex(computePeriodRoot(manifest))])
  const byPeriods = { periodRoots: Object.fromEntries(roots) as Record<number, string> }
  async function ask(server: FastifyInstance, trusted: KnownRoots): Promise<AnswerCase[]> {
    const cases: AnswerCase[] = []
    for (const [request, others] of Object.entries(listRequests()))
      cases.push(await askCase(server, request, others, trusted))
    return cases
  }

  /** An answer about an operation with results that somebody signed. */
  function withAttested({ answer, ...asked }: AnswerCase, outcomes: Parameters<typeof attest>[2]): AnswerCase {
    const json = JSON.parse(Buffer.from(answer, 'base64').toString()) as { operation: object }
    const attestations = [attest(new Uint8Array(32).fill(3), SLOT, outcomes)]
    const told = { ...json.operation, execution: { outcome: 'success', isProven: false } }
    return {
      ...asked,
      answer: Buffer.from(JSON.stringify({ ...json, operation: told, attestations })).toString('base64'),
    }
  }

  let known: AnswerCase[]
  let wrong: AnswerCase[]
  let results: AnswerResult[]
  // All in one run of the other one.
  before(async () => {
    if (!hasPython) return
    const server = await openGateway()
    known = [...(await ask(server, byEra)), await askCase(server, '/period/9', [], byPeriods)]
    const random = new SimRandom(`era ${SEED}`)
    wrong = Array.from({ length: FLIPS }, () => flipAnswers(known, random)).flat()
    const open = await ask(server, byPeriods)
    const asked = await askCase(server, operation, [], byEra)
    await server.close()
    const attested = TOLD.map((outcomes) => withAttested(asked, outcomes))
    results = await verifyElsewhere([...known, ...wrong, ...open, ...attested])
  })
  const said = (from: number, to?: number) =>
    results.slice(from, to).map((result) => ('verified' in result ? result.verified : JSON.stringify(result)))
  const test = (title: string, check: () => void) =>
    it(hasPython ? title : `${title} (skipped: there is no python3)`, function () {
      if (!hasPython) return this.skip()
      check()
    })

  test('verifies each answer under the root of the era', () => {
    assert.deepEqual(said(0, known.length), [...VERIFIED, 'file'])
  })

  test(`refuses each with a bit changed, tries of each: ${FLIPS} (seed ${SEED})`, () => {
    for (const [i, { request, answer }] of wrong.entries()) {
      const result = results[known.length + i]
      assert(
        result && 'refused' in result && result.why.length > 3,
        `accepted with a bit changed: ${request} ${answer}`,
      )
    }
  })

  test('says that nobody compared the era where the roots of its periods are trusted alone', () => {
    assert.deepEqual(
      said(known.length + wrong.length, -TOLD.length),
      VERIFIED.map((name) => `${name}; era not compared`),
    )
  })

  test('refuses results that list an operation twice', () => {
    const [once, ...twice] = said(-TOLD.length)
    assert.equal(once, 'operation, attested')
    assert.equal(twice.length, 2)
    for (const one of twice) assert.match(one, /CORE_READING_MALFORMED: outcomes of a slot do not ascend by id/)
  })
})
