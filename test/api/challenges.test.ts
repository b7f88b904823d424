import assert from 'node:assert/strict'
import type { FastifyInstance } from 'fastify'
import type { ChallengesPort } from '../../api/challenges.ts'
import { createApi } from '../../api/index.ts'
import { TOKEN_HEADER } from '../../api/token-header.ts'
import { ArchiveError, type ErrorCode } from '../../core/index.ts'
import type { Store } from '../../storage-worker/index.ts'

const REQUEST = { node: 'AU12mXoMP5xsGcYK8QDTkQ5PrwRWd2sCtD1yQgH9X4mSjLBjJg5Bj', chunk: 'cd'.repeat(32) }
const HEADERS = { host: '127.0.0.1', [TOKEN_HEADER]: 'the token' }
const ENTRY = { result: 'valid' }

describe('api/challenges', () => {
  const apis: FastifyInstance[] = []
  afterEach(async () => {
    for (const api of apis.splice(0)) await api.close()
  })

  function make(issue: ChallengesPort['issue'], heartbeatMs = 60_000): FastifyInstance {
    const unasked = () => assert.fail('asked')
    const challenges = { issue, rehearse: unasked, list: unasked, find: unasked, auditDraws: unasked }
    const api = createApi(
      {
        dataDirNames: new Set(),
        status: async () => ({ problems: [] }),
        query: { store: {} as Store, threads: 1 },
        token: 'the token',
        challenges,
      },
      { heartbeatMs },
    )
    apis.push(api)
    return api
  }
  const post = (api: FastifyInstance, payload: object = REQUEST) =>
    api.inject({ method: 'POST', url: '/v1/challenges', headers: HEADERS, payload })

  /** A challenge that goes on until it is told how it ends. */
  function makeChallenge() {
    let end = (_entry: object): void => {}
    let fail = (_error: Error): void => {}
    const ended = new Promise<object>((resolve, reject) => {
      end = resolve
      fail = reject
    })
    return { ended, end, fail }
  }

  /** Reads an answer row by row, as it comes. */
  async function* readRows(api: FastifyInstance): AsyncGenerator<unknown> {
    const url = await api.listen({ host: '127.0.0.1', port: 0 })
    const answer = await fetch(`${url}/v1/challenges`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', [TOKEN_HEADER]: 'the token' },
      body: JSON.stringify(REQUEST),
    })
    assert.equal(answer.status, 200)
    let rest = ''
    for await (const piece of answer.body?.pipeThrough(new TextDecoderStream()) ?? []) {
      const lines = (rest + piece).split('\n')
      rest = lines.pop() ?? ''
      for (const line of lines) yield JSON.parse(line)
    }
  }

  it('a challenge that takes long says meanwhile that it is waited for', async () => {
    const { ended, end } = makeChallenge()
    const rows = readRows(make(() => ended, 1))
    assert.deepEqual((await rows.next()).value, { working: true })
    end(ENTRY)
    const rest: unknown[] = []
    for await (const row of rows) rest.push(row)
    assert.deepEqual(rest.at(-1), { result: ENTRY })
  })

  it('error: what fails after a while is the last row', async () => {
    const { ended, fail } = makeChallenge()
    const rows = readRows(make(() => ended, 1))
    assert.deepEqual((await rows.next()).value, { working: true })
    fail(new ArchiveError('CHAIN_OPERATION_EXPIRED', 'in no block'))
    const rest: unknown[] = []
    for await (const row of rows) rest.push(row)
    assert.deepEqual(rest.at(-1), { error: { code: 'CHAIN_OPERATION_EXPIRED', message: 'in no block' } })
  })

  it('error: what is refused at once is no failure of the sidecar', async () => {
    const statuses: Partial<Record<ErrorCode, number>> = {
      API_NAME_AMBIGUOUS: 409,
      API_CHUNK_UNCLAIMED: 409,
      API_CHAIN_OFF: 409,
      API_PEER_UNCONNECTED: 409,
      API_CHUNK_UNKNOWN: 404,
      REGISTRY_NOT_CHALLENGER: 409,
      REGISTRY_AUDIT_OPEN: 409,
      CHAIN_WALLET_LOW: 409,
      CHAIN_NODE_UNREACHABLE: 502,
      CHAIN_OPERATION_EXPIRED: 502,
      STORE_VALUE_CORRUPT: 500,
    }
    let made: ErrorCode = 'API_CHAIN_OFF'
    const api = make(async () => {
      throw new ArchiveError(made, 'made')
    })
    for (const [code, status] of Object.entries(statuses)) {
      made = code as ErrorCode
      const answer = await post(api)
      assert.equal(answer.statusCode, status, code)
      assert.deepEqual(answer.json(), { error: { code, message: 'made' } })
    }
  })

  it('adversary: no more than 16 are under way at once, and one that is over makes room', async () => {
    const challenges: ReturnType<typeof makeChallenge>[] = []
    const api = make(() => {
      const challenge = makeChallenge()
      challenges.push(challenge)
      return challenge.ended
    })
    const answers = Array.from({ length: 17 }, () => post(api))
    const refused = await Promise.race(answers)
    assert.equal(refused.statusCode, 429)
    assert.equal(refused.json().error.code, 'API_CHALLENGES_FULL')
    assert.equal(challenges.length, 16)
    challenges[0]?.end(ENTRY)
    challenges[1]?.fail(new ArchiveError('REGISTRY_PAUSED', 'made'))
    await Promise.all(answers.slice(0, 2))
    const more = [post(api), post(api), post(api)]
    assert.equal((await Promise.race(more)).statusCode, 429)
    for (const { end } of challenges) end(ENTRY)
    const codes = (await Promise.all([...answers, ...more])).map(({ statusCode }) => statusCode)
    assert.deepEqual(codes.sort(), [...Array(17).fill(200), 409, 429, 429])
  })
})
