import assert from 'node:assert/strict'
import type { Slot } from '../../core/index.ts'
import { settle, until } from '../turns.ts'
import { describeArchive, giveFinal, holdArchiver, loseSpool, offerChain } from './archiver-holder.ts'
import { chainOf, NETWORK } from './made-chain.ts'

const THREAD = 5
const LOST = { from: 10, to: 12 }
/** The block above a miss descends from one in the hole; both periods are archived, and nothing of them is to be read. */
const MISSED = { period: 14, thread: THREAD }
const IN_PART = [14, 15]

describe('archiver/archiver: a hole below periods that are held in part', () => {
  it('is filled block by block: an archived block that a peer shows leads on to its parent in there', async () => {
    const chain = chainOf('holes beside parts', 40, { missedSlots: [MISSED] })
    const offers = offerChain(chain)
    const isLost = ({ slot }: { slot: Slot }) => slot.period >= LOST.from && slot.period <= LOST.to
    const holder = await holdArchiver({ network: NETWORK })
    for (let period = 1; period <= 38; period++) {
      await giveFinal(
        holder,
        offers.filter((offer) => offer.slot.period === period && !isLost(offer)),
      )
      await settle(10)
    }
    await until(() => holder.archivedPeriods.includes(34))
    await settle()
    await holder.archiver.stop()
    for (const period of IN_PART) await holder.store.dropChunks(period, [0])
    await loseSpool(holder.spool)
    await holder.restart()

    const [hole] = holder.archiver.status().holes
    assert.ok(hole && hole.from <= LOST.from && hole.to >= LOST.to)
    const byId = new Map(offers.map((offer) => [offer.id as string, offer]))
    const shown = new Set<string>()
    for (let isNew = true; isNew; ) {
      isNew = false
      for (const { missing } of holder.archiver.status().gaps) {
        const offer = byId.get(missing)
        if (!offer || shown.has(missing)) continue
        shown.add(missing)
        isNew = true
        await holder.archiver.takePeerBlock(offer.id, offer.filledBlock)
      }
      await settle(30)
    }
    // The one above the miss, too: it is not taken, and it says which one is asked for next.
    assert.ok(shown.has(chain.blockAt(15, THREAD)?.id ?? ''))
    await until(() => holder.archiver.status().holes.length === 0, 'the filling')
    assert.deepEqual(holder.archiver.status().gaps, [])
    // Nothing far below was asked for: what stands under a run without holes is linked.
    assert.ok(Array.from(shown, (id) => byId.get(id)?.slot.period ?? 0).every((period) => period >= LOST.from - 1))
    await holder.archiver.stop()
    const whole = await holdArchiver({ network: NETWORK })
    await giveFinal(whole, offers)
    await until(() => whole.archivedPeriods.includes(34))
    await whole.archiver.stop()
    const [mine, theirs] = [await describeArchive(holder.store), await describeArchive(whole.store)]
    for (let period = LOST.from; period <= LOST.to; period++) assert.equal(mine.get(period), theirs.get(period))
  })
})
