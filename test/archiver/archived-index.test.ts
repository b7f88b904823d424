import assert from 'node:assert/strict'
import { makeChain } from '../../devnet/index.ts'
import { LevelChunkStore } from '../../storage-worker/index.ts'
import { encodeBodyKey, MANIFEST } from '../../storage-worker/keyspace.ts'
import { until } from '../turns.ts'
import { type ArchiverHolder, describeArchive, giveFinal, holdArchiver, offerChain } from './archiver-holder.ts'

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
})

async function flip({ store }: ArchiverHolder, period: number, n: number): Promise<void> {
  assert.ok(store instanceof LevelChunkStore)
  const key = encodeBodyKey(period, n)
  const value = Uint8Array.from((await store.bodies.get(key)) ?? [])
  value[60] = (value[60] ?? 0) ^ 4
  await store.bodies.write([{ type: 'put', key, value }], { sync: true })
}
