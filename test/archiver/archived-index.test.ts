import assert from 'node:assert/strict'
import { ArchivedIndex } from '../../archiver/archived-index.ts'
import { makeChain } from '../../devnet/index.ts'
import { LevelChunkStore, LevelSpool } from '../../storage-worker/index.ts'
import { encodeBodyKey, MANIFEST } from '../../storage-worker/keyspace.ts'
import { archivedOf, openStore } from '../storage-worker/bootstrap/made-archive.ts'
import { until } from '../turns.ts'
import { type ArchiverHolder, describeArchive, giveFinal, holdArchiver, offerChain } from './archiver-holder.ts'
import { chainOf } from './made-chain.ts'

const NETWORK = { chainId: 77n, genesisTimestampMs: 1_000_000n }

describe('archiver/archived-index', () => {
  for (const [what, n] of [
    ['chunk', 0],
    ['manifest', MANIFEST],
  ] as const) {
    it(`starts although the ${what} of the last archived period is damaged, says so, and archives it again`, async () => {
      const chain = makeChain({ seed: 'damaged end', ...NETWORK, periods: 9, endorsements: 0, missRate: 0.1 })
      const offers = offerChain(chain)
      const holder = await holdArchiver({ network: NETWORK })
      await giveFinal(
        holder,
        offers.filter(({ slot }) => slot.period <= 6),
      )
      await until(() => holder.archivedPeriods.length >= 5)
      await holder.archiver.stop()
      const last = (await holder.store.readRange())?.last ?? 0
      const before = await describeArchive(holder.store)
      await flip(holder, last, n)
      await holder.restart()
      assert.deepEqual(
        holder.logged
          .filter(({ msg }) => msg === 'archived period cannot be read')
          .map(({ period, code }) => [period, code]),
        [[last, 'STORE_VALUE_CORRUPT']],
      )
      await giveFinal(holder, offers)
      await until(() => holder.archivedPeriods.includes(last + 2))
      await holder.archiver.stop()
      const after = await describeArchive(holder.store)
      assert.deepEqual([...after].slice(0, before.size), [...before])
      assert.deepEqual(holder.archiver.status().gaps, [])
    })
  }

  it('takes periods that are held in part for archived and intact', async () => {
    const chain = chainOf('index in part', 6, { missRate: 0.8 })
    const store = await openStore(Array.from({ length: 7 }, (_, period) => archivedOf(chain, period)))
    for (const period of [1, 3, 6]) await store.dropChunks(period, [0])
    const index = new ArchivedIndex(store, new LevelSpool(store.index))
    const unreadable: unknown[] = []
    const { blocks } = await index.load((period, code) => unreadable.push({ period, code }))
    assert.deepEqual(unreadable, [])
    assert.deepEqual(index.listHoles(), [])
    // Of the others it knows what stands where.
    assert.deepEqual(
      blocks.filter(({ block }) => block.slot.period > 0).map(({ block }) => block.id),
      [2, 4, 5]
        .flatMap((period) => [...chain.blocks.values()].filter(({ slot }) => slot.period === period))
        .map(({ id }) => id),
    )
  })
})

async function flip({ store }: ArchiverHolder, period: number, n: number): Promise<void> {
  assert.ok(store instanceof LevelChunkStore)
  const key = encodeBodyKey(period, n)
  const value = Uint8Array.from((await store.bodies.get(key)) ?? [])
  value[60] = (value[60] ?? 0) ^ 4
  await store.bodies.write([{ type: 'put', key, value }], { sync: true })
}
