import assert from 'node:assert/strict'
import { type LevelChunkStore, verifyArchive } from '../../storage-worker/index.ts'
import { sumPlaces } from '../../storage-worker/key-sum.ts'
import { computeSummaryFacts, placeKey } from '../../storage-worker/period-index.ts'
import { IndexCheck } from '../../storage-worker/verify-index.ts'
import { DamageList } from '../../storage-worker/verify-report.ts'
import { makePeriod } from './synthetic-period.ts'
import { openTestStore, TempFolders } from './temp-store.ts'

const folders = new TempFolders()
const PERIODS = [3, 4, 5, 6]

/** What a running sidecar lets go of by its retention while it is verified is no damage. */
describe('storage-worker/verify, while periods are deleted', () => {
  let store: LevelChunkStore
  let close: () => Promise<void>
  beforeEach(async () => {
    const opened = await openTestStore(await folders.make())
    store = opened.chunks
    close = () => opened.close()
    for (const number of PERIODS) await store.writePeriod(makePeriod(number))
  })
  afterEach(async () => {
    await close()
    await folders.clean()
  })

  for (const threads of [0, 1]) {
    for (const begun of PERIODS) {
      it(`finds nothing when a deletion begins at period ${begun}, ${threads} threads`, async () => {
        let deletion: Promise<void> | undefined
        const report = await verifyArchive(store, { deep: true, threads }, ({ period }) => {
          if (period === begun) deletion = store.deletePeriods(3, 5)
        })
        assert.deepEqual(report.damages, [])
        await deletion
        assert.deepEqual(await store.readRange(), { first: 6, last: 6 })
      })
    }
  }

  function expectAll(): { index: IndexCheck; damages: DamageList } {
    const damages = new DamageList(false)
    const index = new IndexCheck({ from: 0, to: 100 }, { store, damages })
    for (const number of PERIODS) {
      const { manifest } = makePeriod(number)
      index.expect({ facts: computeSummaryFacts(manifest, undefined), places: sumPlaces(manifest) })
    }
    return { index, damages }
  }

  it('finds nothing when periods go before their index entries are looked at', async () => {
    const { index, damages } = expectAll()
    await store.deletePeriods(3, 5)
    await index.finish()
    assert.deepEqual(damages.all, [])
  })

  it('names what lacks when periods go in the middle of the walk that looks for it, and nothing of those', async () => {
    const { index, damages } = expectAll()
    const walkKeys = store.index.keys.bind(store.index)
    let walks = 0
    store.index.keys = async function* (range) {
      for await (const key of walkKeys(range)) {
        if (walks++ === 0) await store.deletePeriods(3, 5)
        yield key
      }
    }
    // Without it there is nothing to look for.
    await store.index.write([{ type: 'del', key: keyOf(6) }], { sync: true })
    await index.finish()
    assert(walks > 0)
    assert.deepEqual(
      damages.all.map(({ period, code }) => `${period} ${code}`),
      ['6 STORE_INDEX_WRONG'],
    )
  })

  it('error: names an entry of a period that is not there', async () => {
    const place = { chunkId: new Uint8Array(32).fill(7), period: 2, index: 0 }
    await store.index.write([{ type: 'put', key: placeKey(place), value: new Uint8Array(0) }], { sync: true })
    const { damages } = await verifyArchive(store, { threads: 0 })
    assert.deepEqual(
      damages.map(({ period, code }) => `${period} ${code}`),
      ['2 STORE_INDEX_WRONG'],
    )
  })

  function keyOf(number: number): Uint8Array {
    const [first] = makePeriod(number).manifest.chunks
    assert(first)
    return placeKey({ chunkId: first.chunkId, period: number, index: 0 })
  }
})
