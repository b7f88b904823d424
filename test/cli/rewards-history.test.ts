import assert from 'node:assert/strict'
import type { FastifyInstance } from 'fastify'
import { createApi, listen } from '../../api/index.ts'
import { rewardsHistory } from '../../cli/commands/rewards-history.ts'
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
      stderr: 'This sidecar has distributed and claimed nothing by itself yet.\n',
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

  it('error: the API refuses a limit that is none', async () => {
    for (const limit of ['0', '1001', 'x']) {
      const answer = await api.inject(`/v1/rewards?limit=${limit}`)
      assert.deepEqual([answer.statusCode, answer.json().error.code], [400, 'API_QUERY_INVALID'], limit)
    }
    assert.equal((await api.inject('/v1/rewards?limit=1000')).statusCode, 200)
  })
})
