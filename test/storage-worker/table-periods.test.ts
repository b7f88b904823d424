import assert from 'node:assert/strict'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { type ArchivedPeriod, encodeManifest } from '../../core/index.ts'
import type { LevelOperation } from '../../storage-worker/guarded-level.ts'
import { scanBodies, type TableFacts } from '../../storage-worker/hash-worker.ts'
import type { Store } from '../../storage-worker/index.ts'
import { bodyRange, EXECUTION_RESULTS, encodeBodyKey, HOLDING, MANIFEST, SEALS } from '../../storage-worker/keyspace.ts'
import { sealValue } from '../../storage-worker/sealed-value.ts'
import { TablePeriods } from '../../storage-worker/table-periods.ts'
import { makePeriod, TEST_IDENTITY } from './synthetic-period.ts'
import { openTestStore, TempFolders } from './temp-store.ts'

const folders = new TempFolders()
const ALL = { from: 0, to: 100 }

describe('storage-worker/table-periods', () => {
  afterEach(() => folders.clean())

  it('gives intact periods with what the index must have of them, and runs of others between them', async () => {
    const facts = await scan({ damaged: [4, 5, 8], alone: ALL })
    assert.deepEqual(show(facts, ALL), ['1', '2', '3', '4-5', '6', '7', '8-8', '9'])
    const periods = new TablePeriods()
    periods.add(facts, ALL)
    const [first] = periods.takeBelow(100)
    assert.ok(first && 'root' in first)
    const { summary, manifest } = makePeriod(1)
    assert.deepEqual(first.root, summary.root)
    assert.deepEqual([first.bodyBytes, first.chunks], [summary.bodyBytes, summary.chunks])
    assert.equal(first.bitmap, manifest.bitmap)
  })

  it('calls no period intact that another table may hold something of', async () => {
    const facts = await scan({ damaged: [], alone: { from: 3, to: 6 } })
    assert.deepEqual(show(facts, ALL), ['1-2', '3', '4', '5', '6', '7-9'])
    assert.deepEqual(show(facts, { from: 2, to: 7 }), ['2-2', '3', '4', '5', '6', '7-7'])
  })

  it('calls no period intact of which a value stands there twice, was deleted, or is one too many', async () => {
    const places = [0, makePeriod(3).chunks.length, HOLDING, EXECUTION_RESULTS, SEALS, MANIFEST]
    const pick = (n: number, { chunks, executionResults, seals, manifest }: ArchivedPeriod): Uint8Array => {
      if (n === MANIFEST) return encodeManifest(manifest)
      return (n === EXECUTION_RESULTS ? executionResults : chunks[n]) ?? seals
    }
    // One in each of the periods from 3 on.
    const keyed = places.map((n, i) => ({ key: encodeBodyKey(3 + i, n), value: sealValue(pick(n, makePeriod(3 + i))) }))
    const puts = keyed.map(({ key, value }) => ({ type: 'put', key, value }) as const)
    const dels = keyed.map(({ key }) => ({ type: 'del', key }) as const)
    for (const operations of [puts, dels]) {
      const facts = await scan({ damaged: [], alone: ALL, operations })
      assert.deepEqual(show(facts, ALL), ['1', '2', '3-8', '9'])
    }
  })

  for (const deep of [false, true]) {
    it(`gives periods of which some chunks are held, once what was dropped is off the disk${deep ? ', deep' : ''}`, async () => {
      const count = makePeriod(5).chunks.length
      const prepare = async ({ chunks }: Store) => {
        await chunks.dropChunks(3, [1])
        await chunks.dropChunks(5, [0])
        await chunks.dropChunks(7, [...makePeriod(7).chunks.keys()])
      }
      const dropped = await scan({ damaged: [], alone: ALL, deep, prepare })
      assert.deepEqual(show(dropped, ALL), ['1', '2', '3-3', '4', '5-5', '6', '7-7', '8', '9'])
      const compact = async (store: Store) => {
        // What LevelDB has not written into a table yet goes into one with what deletes it, and stays there.
        await store.chunks.compactPeriods(0, 100)
        await prepare(store)
        await store.chunks.compactPeriods(0, 100)
      }
      const facts = await scan({ damaged: [], alone: ALL, deep, prepare: compact })
      assert.deepEqual(show(facts, ALL), ['1', '2', '3', '4', '5', '6', '7', '8', '9'])
      const periods = new TablePeriods()
      periods.add(facts, ALL)
      assert.deepEqual(
        [...periods.takeBelow(100)].map((found) => ('root' in found ? found.heldChunks : -1)),
        [count, count, count - 1, count, count - 1, count, 0, count, count],
      )
    })
  }

  it('believes the table that leaves a period open, and keeps what is not asked for yet', async () => {
    const intact = await scan({ damaged: [], alone: ALL })
    const damaged = await scan({ damaged: [5], alone: ALL })
    const periods = new TablePeriods()
    periods.add(intact, ALL)
    periods.add(damaged, ALL)
    assert.deepEqual([...periods.takeBelow(5)].map(showOne), ['1', '2', '3', '4'])
    assert.deepEqual([...periods.takeBelow(6)].map(showOne), ['5-5'])
    assert.deepEqual([...periods.takeBelow(100)].map(showOne), ['6', '7', '8', '9'])
    assert.deepEqual([...periods.takeBelow(100)], [])
  })
})

type Found = Parameters<typeof showOne>[0]

function showOne(found: { readonly period: number } | { readonly from: number; readonly to: number }): string {
  return 'period' in found ? `${found.period}` : `${found.from}-${found.to}`
}

function show(facts: TableFacts, range: { readonly from: number; readonly to: number }): string[] {
  const periods = new TablePeriods()
  periods.add(facts, range)
  return [...periods.takeBelow(1000)].map((found: Found) => showOne(found))
}

/** Periods 1 to 9 in one table, the SEALS of some of them too short. */
async function scan(how: {
  readonly damaged: readonly number[]
  readonly alone: TableAlone
  readonly operations?: readonly LevelOperation[]
  readonly prepare?: (store: Store) => Promise<void>
  readonly deep?: boolean
}): Promise<TableFacts> {
  const dataDir = await folders.make()
  const store = await openTestStore(dataDir)
  for (let number = 1; number <= 9; number++) await store.chunks.writePeriod(makePeriod(number))
  for (const period of how.damaged) {
    const key = encodeBodyKey(period, SEALS)
    await store.chunks.bodies.write([{ type: 'put', key, value: new Uint8Array(50) }], { sync: true })
  }
  if (how.operations) await store.chunks.bodies.write(how.operations, { sync: true })
  await how.prepare?.(store)
  await store.close()
  // Opening turns the log into a table.
  await (await openTestStore(dataDir)).close()
  const folder = join(dataDir, 'bodies')
  const name = (await readdir(folder)).find((file) => file.endsWith('.ldb'))
  assert.ok(name)
  const { network } = TEST_IDENTITY
  const facts = scanBodies({
    path: join(folder, name),
    range: bodyRange(0, 100),
    deep: how.deep ?? false,
    network,
    alone: how.alone,
  })
  assert.ok(facts)
  return facts
}

interface TableAlone {
  readonly from: number
  readonly to: number
}
