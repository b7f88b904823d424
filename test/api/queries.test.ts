import assert from 'node:assert/strict'
import { type Query, type QueryRequest, runQuery } from '../../api/queries.ts'
import { isArchiveError } from '../../core/index.ts'
import { LevelChunkStore, type Store } from '../../storage-worker/index.ts'
import { makePeriod, TEST_IDENTITY } from '../storage-worker/synthetic-period.ts'
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
})
