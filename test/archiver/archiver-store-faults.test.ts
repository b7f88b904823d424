import assert from 'node:assert/strict'
import { ArchiveError } from '../../core/index.ts'
import { hasCode } from '../suites/chunk-store-suite.ts'
import { settle, until } from '../turns.ts'
import { giveFinal, holdArchiver, listSpooled, offerChain, offerMadeBlock, reportFinal } from './archiver-holder.ts'
import { corrupt, override } from './failing-store.ts'
import { blockAt, chainOf, NETWORK } from './made-chain.ts'

describe('archiver/archiver', () => {
  describe('fault:', () => {
    const chain = chainOf('faults', 5, { missedSlots: [{ period: 5, thread: 31 }] })
    const offers = offerChain(chain)

    it('a store that cannot be written is tried again until it can, and nothing is lost', async () => {
      let failures = 3
      const holder = await holdArchiver({
        network: NETWORK,
        wrap: ({ store, spool }) => ({
          store: override(store, {
            writePeriod: async (period) => {
              if (period.manifest.period === 2 && failures-- > 0)
                throw new ArchiveError('STORE_WRITE_FAILED', 'injected')
              await store.writePeriod(period)
            },
          }),
          spool,
        }),
      })
      await giveFinal(holder, offers)
      for (let left = 2; left >= 0; left--) {
        await until(() => failures === left)
        await settle()
        assert.ok(holder.archiver.status().stalled !== undefined)
        holder.clock.advance(2_000)
      }
      await until(() => holder.archivedPeriods.includes(4))
      assert.deepEqual(holder.archivedPeriods, [0, 1, 2, 3, 4])
      assert.equal(holder.archiver.status().stalled, undefined)
      await holder.archiver.stop()
    })

    it('says every second that there is no room, and goes on by itself when who is told makes some', async () => {
      let isFull = true
      let told = 0
      const holder = await holdArchiver({
        network: NETWORK,
        onNoRoom: () => {
          isFull = ++told < 2
        },
        wrap: ({ store, spool }) => ({
          store: override(store, {
            writePeriod: async (period) => {
              if (isFull) throw new ArchiveError('STORE_QUOTA_FULL', 'injected')
              await store.writePeriod(period)
            },
          }),
          spool,
        }),
      })
      await giveFinal(holder, offers)
      for (let second = 0; second < 4; second++) {
        await settle()
        holder.clock.advance(1_000)
      }
      await until(() => holder.archivedPeriods.includes(4))
      assert.deepEqual(holder.archivedPeriods, [0, 1, 2, 3, 4])
      assert.equal(told, 2)
      await holder.archiver.stop()
    })

    it('a spool that cannot be synced lets the archiver stop, and is said with its code', async () => {
      let isFull = false
      const holder = await holdArchiver({
        network: NETWORK,
        wrap: ({ store, spool }) => ({
          store,
          spool: override(spool, {
            sync: () => (isFull ? Promise.reject(new ArchiveError('STORE_DISK_FULL', 'injected')) : spool.sync()),
          }),
        }),
      })
      isFull = true
      await holder.archiver.stop()
      const said = holder.logged
        .filter(({ msg }) => msg === 'spool not synced at the end')
        .map(({ level, code }) => [level, code])
      assert.deepEqual(said, [['warn', 'STORE_DISK_FULL']])
      assert.deepEqual(holder.fatal, [])
    })

    it('a spool that cannot be cleared does not end the archiving', async () => {
      let failures = 2
      const failing = async () => {
        if (failures-- > 0) throw corrupt()
      }
      const holder = await holdArchiver({
        network: NETWORK,
        wrap: ({ store, spool }) => ({
          store,
          spool: override(spool, {
            deleteBlocks: async (blocks) => {
              if (blocks.length > 0) await failing()
              await spool.deleteBlocks(blocks)
            },
          }),
        }),
      })
      await giveFinal(holder, offers)
      await until(() => holder.archivedPeriods.includes(4))
      assert.deepEqual(holder.archivedPeriods, [0, 1, 2, 3, 4])
      // Genesis blocks are not spooled, so the failures left blocks of period 1; a start clears them.
      assert.ok((await listSpooled(holder.spool)).some(({ slot }) => slot.period === 1))
      await holder.restart()
      assert.deepEqual(
        (await listSpooled(holder.spool)).filter(({ slot }) => slot.period < 5),
        [],
      )
      for await (const { slot } of holder.spool.listFinals()) assert.ok(slot.period >= 5)
      await holder.archiver.stop()
    })

    it('a mark of the gaps that cannot be written is made up for at the next start', async () => {
      const lost = blockAt(chain, 2, 4)
      const holder = await holdArchiver({
        network: NETWORK,
        wrap: ({ store, spool }) => ({
          store,
          spool: override(spool, { putMark: () => Promise.reject(corrupt()) }),
        }),
      })
      await giveFinal(
        holder,
        offers.filter(({ id }) => id !== lost.id),
      )
      await until(() => holder.archivedPeriods.includes(4))
      const { gaps } = holder.archiver.status()
      assert.deepEqual(gaps, [{ thread: 4, firstPeriod: 2, lastPeriod: 3, childPeriod: 3, missing: lost.id }])
      await holder.restart()
      assert.deepEqual(holder.archiver.status().gaps, gaps)
      await holder.archiver.takeBlock(0, offerMadeBlock(lost).filledBlock, lost.id)
      await until(() => holder.archivedPeriods.includes(2) && holder.archivedPeriods.includes(3))
      await holder.restart()
      assert.deepEqual(holder.archiver.status().gaps, [])
      await holder.archiver.stop()
    })

    it('a spool that takes nothing lets the archiver start, and is made up for when it takes again', async () => {
      let isFull = false
      const failing = () => (isFull ? Promise.reject(corrupt()) : undefined)
      const holder = await holdArchiver({
        network: NETWORK,
        wrap: ({ store, spool }) => ({
          store,
          spool: override(spool, {
            putMark: (name, bytes) => failing() ?? spool.putMark(name, bytes),
            putFinal: (slot, id) => failing() ?? spool.putFinal(slot, id),
            deleteBlocks: (blocks) => failing() ?? spool.deleteBlocks(blocks),
          }),
        }),
      })
      const last = offers.filter(({ slot }) => slot.period === 5)
      await giveFinal(
        holder,
        offers.filter(({ slot }) => slot.period < 5),
      )
      await giveFinal(holder, last.slice(0, 20))
      await until(() => holder.archivedPeriods.includes(4))
      isFull = true
      await holder.restart()
      isFull = false
      await giveFinal(holder, last.slice(20))
      const finals: string[] = []
      for await (const { id } of holder.spool.listFinals()) finals.push(id)
      assert.deepEqual(
        finals,
        last.map(({ id }) => id),
      )
      assert.deepEqual(holder.archiver.status().gaps, [])
      assert.deepEqual(holder.archiver.listWanted(), [])
      await holder.archiver.stop()
    })

    it('a final mark that cannot be written delays nothing', async () => {
      const unmarked = blockAt(chain, 5, 30).id
      const failAt = new Set([blockAt(chain, 2, 4).id, blockAt(chain, 3, 9).id, unmarked])
      const holder = await holdArchiver({
        network: NETWORK,
        wrap: ({ store, spool }) => ({
          store,
          spool: override(spool, {
            putFinal: async (slot, id) => {
              if (failAt.delete(id)) throw corrupt()
              await spool.putFinal(slot, id)
            },
          }),
        }),
      })
      reportFinal(holder, 0, { period: 5, thread: 31 })
      for (const { id, filledBlock } of offers) await holder.archiver.takeBlock(0, filledBlock, id)
      const claims = offers.map(({ slot, id }) => ({ slot, id }))
      while (failAt.size > 0) {
        await assert.rejects(holder.archiver.onClaims(0, claims), hasCode('STORE_VALUE_CORRUPT'))
      }
      await holder.archiver.onClaims(0, claims)
      await until(() => holder.archivedPeriods.includes(4))
      const marked: string[] = []
      for await (const { slot, id } of holder.spool.listFinals()) if (slot.period === 5) marked.push(id)
      const others = offers.filter(({ slot, id }) => slot.period === 5 && id !== unmarked)
      assert.deepEqual(
        marked,
        others.map(({ id }) => id),
      )
      await holder.archiver.stop()
    })

    it('final marks of claims that come at once do not wait for each other, and periods wait for them', async () => {
      const marked: string[] = []
      let release = (): void => undefined
      const released = new Promise<void>((resolve) => {
        release = resolve
      })
      const holder = await holdArchiver({
        network: NETWORK,
        wrap: ({ store, spool }) => ({
          store,
          spool: override(spool, {
            putFinal: async (slot, id) => {
              marked.push(id)
              await released
              await spool.putFinal(slot, id)
            },
          }),
        }),
      })
      reportFinal(holder, 0, { period: 5, thread: 31 })
      const first = offers.filter(({ slot }) => slot.period <= 2)
      for (const { id, filledBlock } of first) await holder.archiver.takeBlock(0, filledBlock, id)
      const taken = holder.archiver.onClaims(
        0,
        first.map(({ slot, id }) => ({ slot, id })),
      )
      assert.deepEqual(new Set(marked), new Set(first.map(({ id }) => id)))
      assert.deepEqual(holder.archivedPeriods, [])
      release()
      await taken
      await until(() => holder.archivedPeriods.includes(1))
      await holder.archiver.stop()
    })

    it('a body that the spool lost is fetched again; other periods do not wait for it, and no other block takes its place', async () => {
      const lost = blockAt(chain, 2, 4)
      let isLost = true
      const holder = await holdArchiver({
        network: NETWORK,
        wrap: ({ store, spool }) => ({
          store,
          spool: override(spool, {
            readBlock: async (slot, id) => (id === lost.id && isLost ? undefined : spool.readBlock(slot, id)),
          }),
        }),
      })
      await giveFinal(holder, offers)
      await until(() => holder.archivedPeriods.includes(4))
      assert.deepEqual(holder.archivedPeriods, [0, 1, 3, 4])
      assert.deepEqual(holder.archiver.status().gaps, [
        { thread: 4, firstPeriod: 2, lastPeriod: 2, childPeriod: 3, missing: lost.id },
      ])
      assert.deepEqual(holder.archiver.listWanted(), [lost.id])
      isLost = false
      await holder.archiver.takeBlock(0, offerMadeBlock(lost).filledBlock, lost.id)
      await until(() => holder.archivedPeriods.includes(2))
      assert.deepEqual(holder.archiver.status().gaps, [])
      await holder.archiver.stop()
    })

    it('error: a node of another network is refused', async () => {
      const holder = await holdArchiver({ network: { ...NETWORK, chainId: 78n } })
      const status = { threadCount: 32, version: '', currentTimeMs: 0, lastFinalSlot: { period: 1, thread: 0 } }
      assert.throws(
        () => holder.archiver.onStatus(0, { ...status, network: NETWORK }),
        hasCode('ARCHIVER_NETWORK_MISMATCH'),
      )
      await holder.archiver.stop()
    })
  })
})
