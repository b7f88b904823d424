import assert from 'node:assert/strict'
import { verifyFilledBlock } from '../../../archiver/index.ts'
import { type ArchivedPeriod, ERA_PERIODS, type EraAnchor, type Slot } from '../../../core/index.ts'
import type { LevelChunkStore } from '../../../storage-worker/index.ts'
import {
  type ArchiverHolder,
  describeArchive,
  giveFinal,
  holdArchiver,
  offerChain,
} from '../../archiver/archiver-holder.ts'
import { chainOf, NETWORK } from '../../archiver/made-chain.ts'
import { forgeBodies } from '../../archiver/tampering.ts'
import { settle, until } from '../../turns.ts'
import { anchorOf, archivedOf, makeHoleFiller, openStore } from './made-archive.ts'

const LAST = ERA_PERIODS + 10
const LOST = { from: 60, to: 70 }

describe('storage-worker/bootstrap: holes in an era that is anchored', () => {
  const chain = chainOf('anchored holes', LAST, { missRate: 0.9, operationsPerBlock: 1 })
  const offers = offerChain(chain)
  const isLost = ({ slot }: { slot: Slot }) => slot.period >= LOST.from && slot.period <= LOST.to
  const victim = offers.find(isLost)
  let whole: LevelChunkStore
  let wholeArchive: Map<number, string>
  let anchor: EraAnchor

  before(async () => {
    assert.ok(victim)
    const periods: ArchivedPeriod[] = []
    for (let period = 0; period <= LAST; period++) {
      // One body that nothing but the anchored root binds: so the massa-node of the others gave it.
      const unbound = archivedOf(chain, period, (slot, thread) => {
        if (period !== victim.slot.period || thread !== victim.slot.thread) return slot
        const block = chain.blockAt(period, thread)
        assert.ok(block)
        return { kind: 'block', ...verifyFilledBlock(forgeBodies(block, NETWORK.chainId), NETWORK.chainId, block.id) }
      })
      periods.push(unbound)
    }
    whole = await openStore(periods)
    wholeArchive = await describeArchive(whole)
    anchor = anchorOf(periods.slice(0, ERA_PERIODS).map(({ manifest }) => manifest))
  })

  async function holdWithHole(): Promise<ArchiverHolder> {
    const holder = await holdArchiver({ network: NETWORK })
    await giveFinal(
      holder,
      offers.filter((offer) => !isLost(offer)),
    )
    await until(() => holder.archivedPeriods.includes(LAST - 3))
    await settle()
    const [hole, ...others] = holder.archiver.status().holes
    assert.deepEqual(others, [])
    assert.ok(hole && victim && hole.from <= victim.slot.period && victim.slot.period <= hole.to)
    return holder
  }

  it('are filled under its root, also what no block id binds', async () => {
    const holder = await holdWithHole()
    const { peers, clock, offences, filler } = makeHoleFiller(holder, { endPeriod: LAST + 1, anchor })
    peers.stores.set('a', whole)
    await filler.look()
    clock.advance(60_000)
    await filler.look()
    assert.deepEqual(holder.archiver.status().holes, [])
    assert.deepEqual(holder.archiver.status().gaps, [])
    assert.deepEqual(offences, [])
    await holder.restart()
    assert.deepEqual(holder.archiver.status().holes, [])
    await holder.archiver.stop()
    const archived = await describeArchive(holder.store)
    assert.deepEqual(
      [...archived],
      [...wholeArchive].filter(([period]) => archived.has(period)),
    )
  })

  it('before it is anchored what no block id binds stays out, and nobody pays for it', async () => {
    const holder = await holdWithHole()
    const { peers, clock, offences, filler } = makeHoleFiller(holder, { endPeriod: LAST + 1 })
    peers.stores.set('a', whole)
    await filler.look()
    clock.advance(60_000)
    await filler.look()
    assert.deepEqual(offences, [])
    const { period } = victim?.slot ?? { period: -1 }
    assert.ok(holder.archiver.status().holes.some(({ from, to }) => from <= period && period <= to))
    await holder.archiver.stop()
  })

  it('hostile peer: what is not under the root is not written', async () => {
    const holder = await holdWithHole()
    const before = holder.archiver.status().holes
    const { peers, clock, filler } = makeHoleFiller(holder, { endPeriod: LAST + 1, anchor })
    const other = chainOf('anchored holes of another', LAST, { missRate: 0.9 })
    peers.stores.set(
      'evil',
      await openStore(Array.from({ length: LAST + 1 }, (_, period) => archivedOf(other, period))),
    )
    await filler.look()
    clock.advance(60_000)
    assert.equal(await filler.look(), 0)
    assert.deepEqual(holder.archiver.status().holes, before)
    peers.stores.set('honest', whole)
    // For a minute what was not to be had under the root is linked, as far as ids bind it.
    await filler.look()
    const { period } = victim?.slot ?? { period: -1 }
    assert.ok(holder.archiver.status().holes.some(({ from, to }) => from <= period && period <= to))
    clock.advance(60_000)
    await filler.look()
    assert.deepEqual(holder.archiver.status().holes, [])
    await holder.archiver.stop()
  })
})
