import assert from 'node:assert/strict'
import { setImmediate } from 'node:timers/promises'
import { type FastifyInstance, fastify } from 'fastify'
import { addGatewayRoutes } from '../../../api/gateway/gateway.ts'
import { addArchiveRpc } from '../../../api/json-rpc/archive-rpc.ts'
import type { Period } from '../../../core/index.ts'
import type { GuardedLevel } from '../../../storage-worker/guarded-level.ts'
import { HistoryIndex } from '../../../storage-worker/history/history-index.ts'
import { HistorySync } from '../../../storage-worker/history/history-sync.ts'
import { HistoryAnswers, HistoryReader, LevelChunkStore } from '../../../storage-worker/index.ts'
import { call, makePeriod, NETWORK } from '../../core/reading/made-history.ts'
import { SeededRandom } from '../../fuzz/registry/random.ts'
import { toArchived } from '../../storage-worker/history/archived-period.ts'
import { openMemoryLevel } from '../../storage-worker/temp-store.ts'

/** Each takes as long as ten of what is tried without HTTP. */
const SEEDS = Math.ceil(Number(process.env.READING_SEEDS ?? 1) / 10)
const FIRST_SEED = Number(process.env.READING_FIRST_SEED ?? 1)
const PERIODS = 24
const READERS = 2
const GRAPH_PERIODS = 3
const ARCHIVED = Array.from({ length: PERIODS }, (_, period) =>
  toArchived(makePeriod(period, { 0: [call(period, 10, BigInt(period))] })),
)

/** A database whose writes take some turns of the event loop. */
function slowly(level: GuardedLevel, random: SeededRandom): GuardedLevel {
  const pause = async () => {
    for (let turns = random.int(3); turns > 0; turns--) await setImmediate()
  }
  return new Proxy(level, {
    get: (target, name) => {
      const value: unknown = Reflect.get(target, name)
      if (name !== 'write' && name !== 'compact') return typeof value === 'function' ? value.bind(target) : value
      return async (...given: unknown[]) => {
        await pause()
        await Reflect.apply(value as () => Promise<void>, target, given)
        await pause()
      }
    },
  })
}

describe('api/gateway, reading while periods are pruned', () => {
  let store: LevelChunkStore
  let sync: HistorySync
  let server: FastifyInstance
  let random: SeededRandom

  async function open(seed: number): Promise<void> {
    random = new SeededRandom(BigInt(seed))
    const bodies = slowly(await openMemoryLevel('bodies'), random)
    const levels = { bodies, index: slowly(await openMemoryLevel('index'), random) }
    store = new LevelChunkStore({ network: NETWORK, chunkSizeBytes: 4096 }, levels)
    for (const period of ARCHIVED) await store.writePeriod(period)
    const index = new HistoryIndex(await openMemoryLevel('history'))
    sync = new HistorySync({ store, index })
    await sync.compare()
    const reader = new HistoryReader({ store, index })
    server = fastify()
    addGatewayRoutes(server, { history: new HistoryAnswers({ reader, store }), store })
    addArchiveRpc(server, {
      history: reader,
      identity: { network: NETWORK, version: 'test', nodeId: 'N1' },
      nowMs: () => 0,
    })
  }
  afterEach(() => server.close())

  /** As retention does it: the index hears of it afterwards. */
  async function prune(): Promise<void> {
    for (let to = -1; to < PERIODS - 8; ) {
      to += 1 + random.int(20)
      const until = Math.min(to, PERIODS - 2)
      await store.deletePeriods(0, until)
      for (let turns = random.int(20); turns > 0; turns--) await setImmediate()
      await sync.forget(0, until)
    }
  }

  async function readFirst(): Promise<Period> {
    const { first, latest } = (await server.inject('/v1/archive')).json()
    const oldest = latest.at(-1).period
    assert(oldest >= first, `period ${oldest} is among the latest, and the first is ${first}`)
    return first
  }

  /** @returns whether it was there */
  async function read(path: string, period: Period): Promise<boolean> {
    const answer = await server.inject(path)
    if (answer.statusCode === 200) return true
    const first = await readFirst()
    assert(period < first, `${path} is ${answer.statusCode} ${answer.body.slice(0, 200)}, and the first is ${first}`)
    assert.equal(answer.statusCode, 404)
    return false
  }

  async function readGraph(from: Period): Promise<void> {
    const timeOf = (period: Period) => Number(NETWORK.genesisTimestampMs) + period * 16_000
    const params = [{ start: timeOf(from), end: timeOf(from + GRAPH_PERIODS) }]
    const answer = await server.inject({
      method: 'POST',
      url: '/',
      headers: { 'content-type': 'application/json' },
      payload: { jsonrpc: '2.0', id: 1, method: 'get_graph_interval', params },
    })
    const { result, error } = answer.json()
    const first = await readFirst()
    if (error) assert(from < first, JSON.stringify(error))
    const given = new Set((result ?? []).map(({ slot }: { slot: { period: Period } }) => slot.period))
    const last = Math.min(from + GRAPH_PERIODS, PERIODS) - 1
    for (let period = Math.max(from, first); period <= last && result; period++) {
      assert(given.has(period), `period ${period} lacks in the graph, and the first is ${first}`)
    }
  }

  for (let seed = FIRST_SEED; seed < FIRST_SEED + SEEDS; seed++) {
    it(`what is not found lies before the first period, and never comes back, seed ${seed}`, async () => {
      await open(seed)
      const gone = new Set<string>()
      const counts = { found: 0, gone: 0 }
      let isPruned = false
      const readOn = async () => {
        while (!isPruned) {
          const period = Math.min(PERIODS - 1, (await readFirst()) + random.int(6))
          const kind = random.int(5)
          if (kind === 4) {
            await readGraph(period)
            continue
          }
          const path =
            [`/v1/periods/${period}`, `/v1/slots/${period}/0`, `/v1/slots/${period}/1`][kind] ?? `/period/${period}`
          const wasGone = gone.has(path)
          const isThere = await read(path, period)
          assert(!(wasGone && isThere), `${path} came back`)
          if (!isThere) gone.add(path)
          counts[isThere ? 'found' : 'gone']++
        }
      }
      const pruning = prune().finally(() => {
        isPruned = true
      })
      await Promise.all([pruning, ...Array.from({ length: READERS }, readOn)])
      assert(counts.found > 20, JSON.stringify(counts))
    })
  }
})
