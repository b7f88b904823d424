import assert from 'node:assert/strict'
import { type Query, type QueryRequest, runQuery } from '../../api/queries.ts'
import { ArchiveError, isArchiveError, parseBlockId, toHex } from '../../core/index.ts'
import {
  computePlacementTable,
  type FoundRoles,
  LevelChunkStore,
  OwnRoles,
  readPlacement,
  type Store,
} from '../../storage-worker/index.ts'
import { EXECUTION_RESULTS, encodeBodyKey } from '../../storage-worker/keyspace.ts'
import { MadeRegistry, NETWORK, REGISTRY } from '../storage-worker/placement/made-registry.ts'
import { makeBlock, makePeriod, TEST_IDENTITY } from '../storage-worker/synthetic-period.ts'
import { openMemoryLevel } from '../storage-worker/temp-store.ts'

describe('api/queries', () => {
  let chunks: LevelChunkStore

  beforeEach(async () => {
    const levels = { bodies: await openMemoryLevel('bodies'), index: await openMemoryLevel('index') }
    chunks = new LevelChunkStore(TEST_IDENTITY, levels)
    for (let number = 0; number < 40; number++)
      await chunks.writePeriod(makePeriod(number, { blocks: 1, operations: 0 }))
  })

  async function ask(request: QueryRequest, query: Partial<Query> = {}): Promise<Record<string, unknown>> {
    let result: unknown
    const asked = { store: { chunks } as unknown as Store, threads: 1, ...query }
    for await (const row of runQuery(asked, request, new AbortController().signal))
      if ('result' in row) result = row.result
    return result as Record<string, unknown>
  }

  it('inspect asks the index where to look, and does without one that cannot be read', async () => {
    const { id } = makeBlock({ period: 7, thread: 0 }, { blocks: 1, operations: 0 })
    await chunks.bodies.write([{ type: 'del', key: encodeBodyKey(7, EXECUTION_RESULTS) }], { sync: false })
    const asked: [string, string][] = []
    const history = (findPeriods: () => Promise<readonly number[]>) => ({
      rebuild: () => assert.fail('not asked for'),
      check: () => assert.fail('not asked for'),
      findPeriods: (kind: string, bytes: Uint8Array) => {
        asked.push([kind, toHex(bytes)])
        return findPeriods()
      },
    })
    for (const findPeriods of [
      async () => [7],
      async () => [],
      () => Promise.reject(new ArchiveError('STORE_READ_FAILED', 'history: block checksum mismatch')),
    ]) {
      const found = await ask({ kind: 'inspect-block', id }, { history: history(findPeriods) })
      assert.deepEqual([found.blockId, found.slot], [id, { period: 7, thread: 0 }])
    }
    assert.deepEqual(asked, Array(3).fill(['blocks', toHex(parseBlockId(id))]))
    const broken = history(() => Promise.reject(new Error('a bug')))
    await assert.rejects(ask({ kind: 'inspect-block', id }, { history: broken }), /a bug/)
  })

  it('prune of a sidecar deletes for its own retention_periods alone', async () => {
    const request = { kind: 'prune', dryRun: false, retentionPeriods: 1 } as const
    for (const retentionPeriods of [0, 2]) {
      await assert.rejects(ask(request, { retentionPeriods }), (error) =>
        isArchiveError(error, 'API_RETENTION_DIFFERENT'),
      )
    }
    assert.equal((await chunks.readRange())?.first, 0)
    assert.equal((await ask(request, { retentionPeriods: 1 })).periods, 16)
    assert.equal((await chunks.readRange())?.first, 16)
  })

  it('a dry run says what another number would delete, and which one the sidecar has', async () => {
    const request = { kind: 'prune', dryRun: true, retentionPeriods: 1 } as const
    const result = await ask(request, { retentionPeriods: 0 })
    assert.equal(result.periods, 16)
    assert.equal(result.sidecarRetentionPeriods, 0)
    assert.ok(!('sidecarRetentionPeriods' in (await ask(request))))
    assert.equal((await chunks.readRange())?.first, 0)
  })

  it('prune keeps what its era is not anchored for, and says which era that is', async () => {
    const request = { kind: 'prune', dryRun: false, retentionPeriods: 1 } as const
    const asked: number[] = []
    const mayGo = async (era: number): Promise<boolean> => {
      asked.push(era)
      return asked.length > 1
    }
    const { periods, unanchoredEra } = await ask(request, { mayGo })
    assert.deepEqual([periods, unanchoredEra, asked], [0, 0, [0]])
    const anchored = await ask(request, { mayGo })
    assert.equal(anchored.periods, 16)
    assert.ok(!('unanchoredEra' in anchored))
  })

  it('verify tells of which periods a repair may have changed what is held, and of none without one', async () => {
    const key = encodeBodyKey(7, 0)
    const sealed = Uint8Array.from((await chunks.bodies.get(key)) ?? [])
    sealed[0] = (sealed[0] ?? 0) ^ 1
    await chunks.bodies.write([{ type: 'put', key, value: sealed }], { sync: true })
    const told: number[][] = []
    const refetchPeriod = async (period: number) => makePeriod(period, { blocks: 1, operations: 0 })
    const query: Partial<Query> = {
      store: { chunks, mended: [], checkFiles: async () => [] } as unknown as Store,
      refetchPeriod,
      threads: 0,
      onVerified: ({ repairedPeriods }) => told.push([...repairedPeriods]),
    }
    for (const repair of [false, true]) await ask({ kind: 'verify', deep: false, repair }, query)
    assert.deepEqual(told, [[], [7]])
  })

  interface ListedChunk {
    readonly chunkId: string
    readonly period: number
    readonly role: string
  }

  async function list(request: object, found?: FoundRoles): Promise<{ rows: ListedChunk[]; result: object }> {
    const rows: ListedChunk[] = []
    const query = { store: { chunks } as unknown as Store, threads: 1, ...(found && { findRoles: async () => found }) }
    const whole = { kind: 'list-chunks', from: 0, to: 100, prefixHex: '', ...request }
    for await (const answer of runQuery(query, whole, new AbortController().signal)) {
      if ('row' in answer) rows.push(answer.row as ListedChunk)
      if ('result' in answer) return { rows, result: answer.result ?? {} }
    }
    return assert.fail('no result')
  }

  it('list-chunks tells the role of each chunk by the table, lists those of one role, and ends with the table', async () => {
    const registry = new MadeRegistry({ replicas: 2 })
    for (const address of ['AU1', 'AU2', 'AU3']) registry.add(address)
    const clock = { nowMs: () => 1_000_000_000_000, monotonicMs: () => 0 }
    const reading = await readPlacement({ registry: REGISTRY, network: NETWORK }, { node: registry, clock })
    const table = await computePlacementTable(reading)
    const roles = new OwnRoles({ address: 'AU2', table })
    const { rows, result } = await list({}, { roles })
    assert.deepEqual(result, { address: 'AU2', era: table.era })
    const expected: ListedChunk[] = []
    for (let period = 0; period < 40; period++) {
      for (const { chunkId } of (await chunks.readManifest(period))?.chunks ?? []) {
        const place = table.holdersOf(chunkId).holders.findIndex(({ address }) => address === 'AU2')
        expected.push({
          chunkId: toHex(chunkId),
          period,
          role: place === 0 ? 'primary' : place > 0 ? 'replica' : 'extra',
        })
      }
    }
    assert.deepEqual(
      rows.map(({ chunkId, period, role }) => ({ chunkId, period, role })),
      expected,
    )
    for (const role of ['primary', 'replica', 'extra'] as const) {
      const wanted = rows.filter((row) => row.role === role)
      assert(wanted.length > 0, role)
      assert.deepEqual((await list({ role }, { roles })).rows, wanted)
    }
    assert.deepEqual((await list({ role: 'none' }, { roles })).rows, [])
    const own = await ask({ kind: 'own-roles' }, { findRoles: async () => ({ roles }) })
    assert.deepEqual(own, {
      address: 'AU2',
      era: table.era,
      primary: roles.listSlots('primary'),
      replica: roles.listSlots('replica'),
    })
  })

  it('list-chunks without a table lists all without a role, says why, and lists none of a role', async () => {
    const why = { why: 'no storage-registry is configured' }
    const { rows, result } = await list({}, why)
    assert.deepEqual([rows.length, new Set(rows.map(({ role }) => role))], [40, new Set(['none'])])
    assert.deepEqual(result, why)
    assert.equal((await list({ role: 'none' }, why)).rows.length, 40)
    assert.deepEqual(await list({ role: 'primary' }, why), { rows: [], result: why })
    assert.deepEqual((await list({})).result, { why: 'nobody can tell who holds what' })
    assert.deepEqual(await ask({ kind: 'own-roles' }, { findRoles: async () => why }), why)
  })
})
