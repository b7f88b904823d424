import assert from 'node:assert/strict'
import { runQuery } from '../../../api/queries.ts'
import { ArchiveError } from '../../../core/index.ts'
import type { GuardedLevel } from '../../../storage-worker/guarded-level.ts'
import type { HistoryIndex } from '../../../storage-worker/history/history-index.ts'
import { HISTORY_KEYSPACES } from '../../../storage-worker/history/history-keys.ts'
import { HistorySync } from '../../../storage-worker/history/history-sync.ts'
import { checkHistory, openHistory, type Store } from '../../../storage-worker/index.ts'
import { makePeriod, TEST_IDENTITY } from '../synthetic-period.ts'
import { openTestStore, TempFolders } from '../temp-store.ts'

const PERIODS = 10
const SHAPE = { blocks: 2, operations: 2, operationBytes: 100 }
const ALL = { from: 0, to: PERIODS }

describe('storage-worker/history: what the index has, held against the archive', () => {
  const folders = new TempFolders()
  const { signal } = new AbortController()
  let store: Store

  beforeEach(async () => {
    store = await openTestStore(await folders.make())
    for (let period = 0; period < PERIODS; period++) await store.chunks.writePeriod(makePeriod(period, SHAPE))
    await withIndex((index) => new HistorySync({ store: store.chunks, index }).compare())
  })
  afterEach(async () => {
    await store.close()
    await folders.clean()
  })

  async function withIndex(work: (index: HistoryIndex, level: GuardedLevel) => Promise<unknown>): Promise<void> {
    const { index } = await openHistory(store.dataDir, TEST_IDENTITY)
    await work(index, (index as unknown as { level: GuardedLevel }).level)
    await index.close()
  }

  /** Changes one entry of a period, in a keyspace. */
  const damage = (
    keyspace: number,
    change: (key: Uint8Array, value: Uint8Array, level: GuardedLevel) => Promise<void>,
  ) =>
    withIndex(async (_, level) => {
      const range = { gte: Uint8Array.of(keyspace), lt: Uint8Array.of(keyspace + 1) }
      for await (const [key, value] of level.entries(range)) return change(key, value, level)
    })

  type Check = (...args: [Parameters<typeof checkHistory>[1], boolean, AbortSignal]) => Promise<readonly number[]>
  const own: Check = (wanted, repair, until) => checkHistory(store, wanted, repair, until)

  type Options = { deep?: boolean; repair?: boolean; range?: { from: number; to: number } }
  async function verify(options: Options = {}, check = own) {
    const history = { rebuild: () => assert.fail('not asked for'), check }
    const request = { kind: 'verify', deep: false, repair: false, ...options }
    for await (const row of runQuery({ store, threads: 0, history }, request, signal)) {
      if ('result' in row)
        return (row.result as { damages: { period: number; code: string; repaired?: true; reason?: string }[] }).damages
    }
    return assert.fail('no result')
  }

  it('finds nothing in an index that is right, nor where there is none', async () => {
    assert.deepEqual(await verify(), [])
    assert.deepEqual(await verify({ deep: true }), [])
    const bare = await openTestStore(await folders.make())
    assert.deepEqual(await checkHistory(bare, ALL, false, signal), [])
    await bare.close()
  })

  for (const keyspace of ['operations', 'blocks', 'addresses'] as const) {
    it(`verify names the period of an entry in ${keyspace} that is gone or changed, and repairs it`, async () => {
      await damage(HISTORY_KEYSPACES[keyspace], (key, _value, level) =>
        level.write([{ type: 'del', key }], { sync: false }),
      )
      const [found, ...others] = await verify()
      assert.deepEqual([found?.code, found?.repaired, others], ['STORE_HISTORY_DIFFERENT', undefined, []])
      const period = found?.period ?? -1
      assert.deepEqual(await verify({ range: { from: period + 1, to: PERIODS } }), [])
      assert.equal((await verify({ repair: true }))[0]?.repaired, true)
      assert.deepEqual(await verify({ deep: true }), [])
      await damage(HISTORY_KEYSPACES[keyspace], (key, value, level) =>
        level.write([{ type: 'put', key, value: value.with(0, (value[0] ?? 0) ^ 1) }], { sync: false }),
      )
      assert.deepEqual(
        (await verify({ deep: true })).map(({ code }) => code),
        ['STORE_HISTORY_DIFFERENT'],
      )
    })
  }

  it('verify names a period whose directory cannot be read, and repairs it', async () => {
    await damage(HISTORY_KEYSPACES.periods, (key, value, level) =>
      level.write([{ type: 'put', key, value: value.with(0, 99) }], { sync: false }),
    )
    assert.deepEqual(
      (await verify()).map(({ period, code }) => [period, code]),
      [[0, 'STORE_HISTORY_DIFFERENT']],
    )
    await verify({ repair: true })
    assert.deepEqual(await verify({ deep: true }), [])
  })

  it('verify names an index of which LevelDB cannot read a table, and ends all the same', async () => {
    const failing: Check = () =>
      Promise.reject(new ArchiveError('STORE_READ_FAILED', 'history: block checksum mismatch'))
    const [found, ...others] = await verify({ repair: true }, failing)
    assert.deepEqual(
      [found?.code, found?.reason, found?.repaired, others],
      ['STORE_HISTORY_DIFFERENT', 'history: block checksum mismatch', undefined, []],
    )
    await assert.rejects(
      verify({}, () => Promise.reject(new Error('a bug'))),
      /a bug/,
    )
  })

  it('looks at so many as it is told to, the first and the last among them, and at none that is not indexed or whole', async () => {
    await store.chunks.dropChunks(4, [0])
    await withIndex(async (index, level) => {
      await index.forgetPeriods(9, 9)
      const rows = {
        gte: Uint8Array.of(HISTORY_KEYSPACES.operations),
        lt: Uint8Array.of(HISTORY_KEYSPACES.addresses + 1),
      }
      for await (const key of level.keys(rows)) await level.write([{ type: 'del', key }], { sync: false })
      const sync = new HistorySync({ store: store.chunks, index })
      assert.deepEqual(await sync.check(ALL), [0, 1, 2, 3, 5, 6, 7, 8])
      assert.deepEqual(await sync.check({ from: 0, to: 8, most: 3 }), [0, 8])
      assert.deepEqual(await sync.check({ from: 1, to: 7, most: 3 }), [1, 7])
      assert.deepEqual(await sync.check({ from: 1, to: 7, most: 2 }), [1, 7])
      assert.deepEqual(await sync.check({ ...ALL, most: 2 }), [0])
      const ended = new AbortController()
      ended.abort()
      assert.deepEqual(await sync.check(ALL, ended.signal), [])
    })
  })
})
