import assert from 'node:assert/strict'
import type { FastifyInstance } from 'fastify'
import { createApi, listen } from '../../api/index.ts'
import { TOKEN_HEADER } from '../../api/token-header.ts'
import { rewardsHistory } from '../../cli/commands/rewards-history.ts'
import { noteClaim } from '../../cli/note-claim.ts'
import { readApiToken, writeApiToken } from '../../storage-worker/api-token.ts'
import { listDataDirNames, type Store } from '../../storage-worker/index.ts'
import type { RewardEntry } from '../../storage-worker/rewards/reward-history.ts'
import { openTestStore, TempFolders } from '../storage-worker/temp-store.ts'
import { makeCommand } from './command-place.ts'

const CLAIM: RewardEntry = {
  kind: 'claim',
  atMs: Date.UTC(2026, 10, 22),
  period: null,
  amountNanoMas: '25000000',
  feeNanoMas: '10000000',
  operationId: 'O1claim',
}
const DISTRIBUTION: RewardEntry = {
  ...CLAIM,
  kind: 'distribution',
  period: 200,
  operationId: 'O1',
  atMs: CLAIM.atMs + 1,
}

describe('cli/commands/rewards-history', () => {
  const folders = new TempFolders()
  let store: Store
  let api: FastifyInstance
  const { signal } = new AbortController()

  before(async () => {
    store = await openTestStore(await folders.make())
    api = createApi({
      dataDirNames: await listDataDirNames(store.dataDir),
      status: async () => ({ problems: [] }),
      query: { store, threads: 1 },
      token: await writeApiToken(store.dataDir),
    })
    await store.announce(await listen(api, { host: '127.0.0.1', port: 0 }))
  })
  after(async () => {
    await api.close()
    await store.close()
    await folders.clean()
  })

  it('says so when there is nothing, and then shows what the sidecar noted', async () => {
    const nothing = makeCommand(store.dataDir, {}, { json: false })
    assert.equal(await rewardsHistory(nothing.context, { limit: 20 }, signal), 0)
    assert.deepEqual(nothing.printed, {
      stdout: '',
      stderr: 'This sidecar has distributed and claimed nothing yet.\n',
    })
    await store.rewards.append(CLAIM)
    await store.rewards.append(DISTRIBUTION)
    const people = makeCommand(store.dataDir, {}, { json: false })
    await rewardsHistory(people.context, { limit: 20 }, signal)
    assert.match(
      people.printed.stdout,
      /Z {2}distributed period 200 +0\.025 +0\.01 +O1\n.*Z {2}claimed +0\.025 +0\.01 +O1claim\n$/,
    )
    const programs = makeCommand(store.dataDir)
    await rewardsHistory(programs.context, { limit: 1 }, signal)
    assert.deepEqual(JSON.parse(programs.printed.stdout), DISTRIBUTION)
  })

  it('has what was claimed by hand noted, once', async () => {
    const { config } = makeCommand(store.dataDir).context.load()
    const { kind: _, period: _period, ...claim } = { ...CLAIM, atMs: CLAIM.atMs + 2, operationId: 'O1byhand' }
    for (let i = 0; i < 2; i++) assert.equal(await noteClaim(config, claim, signal), undefined)
    const noted = await store.rewards.list(9)
    assert.deepEqual(
      noted.filter(({ operationId }) => operationId === 'O1byhand'),
      [{ ...CLAIM, ...claim }],
    )
  })

  it('adversary: nobody notes a claim without the token, or what is none', async () => {
    const { kind: _, period: _period, ...claim } = { ...CLAIM, operationId: 'O1forged' }
    const post = async (payload: object, token: string) => {
      const headers = { host: '127.0.0.1', [TOKEN_HEADER]: token }
      const answer = await api.inject({ method: 'POST', url: '/v1/rewards', headers, payload })
      return [answer.statusCode, answer.json().error.code]
    }
    assert.deepEqual(await post(claim, 'another'), [403, 'API_TOKEN_WRONG'])
    const token = (await readApiToken(store.dataDir)) ?? ''
    for (const change of [{ amountNanoMas: '-1' }, { operationId: '' }, { kind: 'claim' }, { atMs: 0.5 }]) {
      assert.deepEqual(await post({ ...claim, ...change }, token), [400, 'API_QUERY_INVALID'])
    }
    assert.ok((await store.rewards.list(9)).every(({ operationId }) => operationId !== 'O1forged'))
  })

  it('error: where no sidecar runs a claim is not noted, and it is said why', async () => {
    const { config } = makeCommand(await folders.make()).context.load()
    const { kind: _, period: _period, ...claim } = CLAIM
    assert.match((await noteClaim(config, claim, signal)) ?? '', /^no massa-storage runs on /)
  })

  it('error: the API refuses a limit that is none', async () => {
    for (const limit of ['0', '1001', 'x']) {
      const answer = await api.inject(`/v1/rewards?limit=${limit}`)
      assert.deepEqual([answer.statusCode, answer.json().error.code], [400, 'API_QUERY_INVALID'], limit)
    }
    assert.equal((await api.inject('/v1/rewards?limit=1000')).statusCode, 200)
  })
})
