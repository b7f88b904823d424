import assert from 'node:assert/strict'
import { type FastifyInstance, fastify } from 'fastify'
import { addGatewayRoutes } from '../../../api/gateway/gateway.ts'
import { FinalPeriods } from '../../../storage-worker/index.ts'
import { StillClock } from '../../clocks.ts'
import { hasPython } from '../../core/reading/second-implementation.ts'
import { RECORDINGS } from '../../devnet/fixture.ts'
import { SimRandom } from '../../sim/sim-random.ts'
import { flipAnswers, RandomAsker, verifyElsewhere } from './recorded-answers.ts'
import { openRecordedArchive } from './recorded-gateway.ts'

/** `npm run answers` takes more of them, of a longer recording. */
const RUNS = Number(process.env.ANSWER_RUNS ?? 52)
const SEED = process.env.ANSWER_SEED ?? (RUNS > 100 ? String(Date.now()) : '1')

describe('api/gateway: the second implementation', function () {
  this.timeout(RUNS > 100 ? 0 : 120_000)
  let server: FastifyInstance
  afterEach(() => server?.close())

  const title = `verifies ${RUNS} answers of all endpoints, and refuses each with one bit changed (seed ${SEED})`
  it(hasPython ? title : `${title} (skipped: there is no python3)`, async function () {
    if (!hasPython) return this.skip()
    const { answers, periods, store, reader } = await openRecordedArchive(
      RUNS > 100 ? RECORDINGS.replayed : RECORDINGS.push,
    )
    server = fastify()
    const finals = new FinalPeriods({ store, reader, clock: new StillClock() })
    addGatewayRoutes(server, { history: answers, store, finals })
    const random = new SimRandom(`answers ${SEED}`)
    const right = await new RandomAsker(server, periods, random).ask(RUNS)
    const wrong = flipAnswers(right, random)
    const results = await verifyElsewhere([...right, ...wrong])
    assert.equal(results.length, 2 * RUNS)
    const counts = new Map<string, number>()
    for (const [i, result] of results.slice(0, RUNS).entries()) {
      assert('verified' in result, `${right[i]?.request}: ${JSON.stringify(result)}`)
      counts.set(result.verified, (counts.get(result.verified) ?? 0) + 1)
    }
    for (const [i, result] of results.slice(RUNS).entries()) {
      assert('refused' in result && result.why.length > 3, `accepted with a bit changed: ${JSON.stringify(wrong[i])}`)
    }
    if (RUNS > 100) report(counts, results.slice(RUNS))
  })
})

/** For people: what was verified, and what of the changed ones was wrong. */
function report(verified: ReadonlyMap<string, number>, refused: readonly object[]): void {
  console.log(`verified: ${[...verified].map(([what, count]) => `${count} ${what}`).join(', ')}`)
  const codes = new Map<string, number>()
  for (const one of refused) {
    const code = 'refused' in one ? String(one.refused) : ''
    codes.set(code, (codes.get(code) ?? 0) + 1)
  }
  console.log(`refused: ${[...codes].map(([code, count]) => `${count} ${code}`).join(', ')}`)
}
