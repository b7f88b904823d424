import assert from 'node:assert/strict'
import { ChainTime } from '../../archiver/chain-time.ts'
import { NODE_GRACE_MS } from '../../archiver/node-presence.ts'
import { EXECUTION_PATIENCE_MS } from '../../archiver/pending-executions.ts'
import { isArchiveError, PERIOD_MS, type Period, type Slot } from '../../core/index.ts'
import type { MadeChain } from '../../devnet/index.ts'
import { SetClock } from '../devnet/set-clock.ts'
import { settle } from '../turns.ts'
import {
  type ArchiverHolder,
  giveFinal,
  holdArchiver,
  listSpooled,
  offerChain,
  reportFinal,
} from './archiver-holder.ts'
import { makeTestChain, SkippingClock, Stage } from './follow-harness.ts'
import { chainOf, NETWORK } from './made-chain.ts'

const SILENCE_MS = 60_000

/** The wall clock of a machine is set by hand, by NTP, or by a host that wakes up; nothing but dates may depend on it. */
describe('archiver: a wall clock that is set', () => {
  let served: MadeChain
  before(() => {
    served = makeTestChain({ seed: 'wall clock', periods: 10 })
  })

  for (const jumpMs of [-150_000, 150_000]) {
    describe(`by ${jumpMs / 1_000} s`, () => {
      const stage = new Stage()
      afterEach(() => stage.clean())

      it('during a poll: the next poll comes in time, nothing is lost, and streams are not said silent by it', async () => {
        const clock = new SkippingClock()
        const node = await stage.node(served, 4, { broadcast: false, finalitySlots: 32 })
        // As a node does: whoever does not ask in time finds them gone.
        node.state.keepFinalPeriods = 3
        const follow = await stage.follow([node], { clock, streamSilenceMs: SILENCE_MS })
        await follow.whenStreaming()
        await follow.whenArchived(3)
        let isSet = false
        node.intercept('SearchBlocks', () => {
          if (!isSet) clock.setWall(jumpMs)
          isSet = true
          return undefined
        })
        await follow.when('set in a poll', () => isSet)
        for (let period = 5; period <= 9; period++) {
          node.advanceTo({ period, thread: 31 })
          await follow.whenArchived(period)
        }
        await follow.whenPolled()
        await follow.assertHonest(served, 9)
        assert.equal(follow.countSaid('ARCHIVER_STREAM_SILENT'), 0)
        assert.deepEqual(
          follow.lines.filter(({ msg }) => msg === 'node failed'),
          [],
        )
        const durations = follow.lines.filter(({ msg }) => msg === 'archived period').map((line) => line.durationMs)
        assert.ok(durations.every((ms) => typeof ms === 'number' && ms >= 0 && ms < Math.abs(jumpMs)))
        // By the time that has passed they are.
        clock.skip(SILENCE_MS)
        await follow.whenSaid('ARCHIVER_STREAM_SILENT')
      })

      it('while a node is away: it is waited for as long as ever', async () => {
        const clock = new SkippingClock()
        const options = { broadcast: false, finalitySlots: 32 }
        const nodes = [await stage.node(served, 4, options), await stage.node(served, 4, options)] as const
        const follow = await stage.follow(nodes, { clock })
        await follow.whenArchived(4)
        await nodes[1].stop()
        await follow.whenSaid('ARCHIVER_NODE_UNREACHABLE')
        clock.setWall(jumpMs)
        nodes[0].advanceTo({ period: 7, thread: 31 })
        await nodes[0].whenCalled('GetStatus', nodes[0].countOf('GetStatus') + 6)
        assert.equal(follow.countSaid('ARCHIVER_NODE_ALONE'), 0)
        assert.equal((await follow.range())?.last, 4)
        clock.skip(NODE_GRACE_MS)
        await follow.whenAllArchived(6)
      })

      it('while a period waits for its execution results: it waits as long as ever', async () => {
        const holder = await holdArchiver({ network: NETWORK, executionPatienceMs: EXECUTION_PATIENCE_MS })
        await giveFinal(holder, offersUpTo(2))
        await settle()
        holder.clock.setWall(jumpMs)
        await pass(holder, EXECUTION_PATIENCE_MS - 1_000)
        assert.deepEqual(holder.archivedPeriods, [0])
        await pass(holder, 1_000)
        assert.ok(holder.archivedPeriods.includes(1))
        await holder.archiver.stop()
      })

      it('while a block lacks: it is called a gap after five seconds, as ever', async () => {
        const holder = await holdArchiver({ network: NETWORK })
        await giveFinal(
          holder,
          offersUpTo(6).filter(({ slot }) => slot.period !== 2 || slot.thread !== 5),
        )
        await pass(holder, 1_000)
        holder.clock.setWall(jumpMs)
        await pass(holder, 4_000)
        assert.equal(countLogged(holder, 'gap found'), 0)
        await pass(holder, 1_000)
        assert.equal(countLogged(holder, 'gap found'), 1)
        await holder.archiver.stop()
      })

      it('while a node names nothing for a slot: that is said after a minute, as ever', async () => {
        const holder = await holdArchiver({ network: NETWORK, nodeCount: 2 })
        const last = { period: 4, thread: 31 }
        await giveFinal(holder, offersUpTo(4))
        reportFinal(holder, 1, last)
        await pass(holder, 1_000)
        holder.clock.setWall(jumpMs)
        await pass(holder, 59_000)
        assert.equal(holder.archiver.status().awaited, undefined)
        await pass(holder, 1_000)
        assert.deepEqual(holder.archiver.status().awaited?.nodes, [1])
        await holder.archiver.stop()
      })

      it('a node at the present stays one, before and after; one ahead of it stays refused', async () => {
        const holder = await holdArchiver({ network: NETWORK })
        const present = 1_000_000
        assert.equal(statusOf(holder, present), 'taken')
        holder.clock.setWall(jumpMs)
        assert.equal(statusOf(holder, present), 'taken')
        assert.equal(statusOf(holder, present + 20), 'ARCHIVER_NODE_REFUSED')
        // Time goes on.
        holder.clock.advance(20 * 16_000)
        assert.equal(statusOf(holder, present + 20), 'taken')
        await holder.archiver.stop()
      })

      it('blocks at the present are taken, before and after, and one too far ahead comes to be due as ever', async () => {
        const holder = await holdArchiver({ network: NETWORK, nowPeriod: 2 })
        const [now, ahead] = [offers.find(isAt(3)), offers.find(isAt(7))]
        assert.ok(now && ahead)
        holder.clock.setWall(jumpMs)
        assert.equal(await holder.archiver.takeBlock(0, now.filledBlock, now.id), 'spooled')
        const isLate = jumpMs > 0
        assert.equal(await holder.archiver.takeBlock(0, ahead.filledBlock, ahead.id), isLate ? 'spooled' : 'postponed')
        holder.clock.advance(2 * PERIOD_MS)
        assert.equal(await holder.archiver.takeBlock(0, ahead.filledBlock, ahead.id), isLate ? 'known' : 'spooled')
        await holder.archiver.stop()
      })
    })
  }

  it('back while the sidecar is stopped: what is archived says how late it is, so that blocks are kept and nodes heard', async () => {
    const holder = await holdArchiver({ network: NETWORK, nowPeriod: 10 })
    await giveFinal(holder, offersUpTo(6))
    const [next] = offers.filter(isAt(8))
    assert.ok(next)
    await holder.archiver.takeBlock(0, next.filledBlock, next.id)
    await settle()
    const before = await listSpooled(holder.spool)
    assert.ok(before.some(({ id }) => id === next.id))
    assert.ok(holder.archivedPeriods.includes(5))
    holder.clock.setWall(-3_600_000)
    await holder.restart()
    assert.deepEqual(await listSpooled(holder.spool), before)
    assert.equal(statusOf(holder, 8), 'taken')
    assert.equal(statusOf(holder, 20), 'ARCHIVER_NODE_REFUSED')
    await giveFinal(holder, offersUpTo(8))
    await settle()
    assert.ok(holder.archivedPeriods.includes(7))
    await holder.archiver.stop()
  })

  it('forward is believed at once, and backward never: what was due stays due', () => {
    const clock = new SetClock()
    const time = new ChainTime(clock)
    const startMs = clock.timeMs
    clock.timeMs += 1_000
    assert.equal(time.nowMs(), startMs + 1_000)
    clock.jumpMs = -150_000
    assert.equal(time.nowMs(), startMs + 1_000)
    clock.timeMs += 500
    assert.equal(time.nowMs(), startMs + 1_500)
    clock.jumpMs = 3_600_000
    assert.equal(time.nowMs(), startMs + 1_500 + 3_600_000)
    clock.jumpMs = 0
    clock.timeMs += 10
    assert.equal(time.nowMs(), startMs + 1_510 + 3_600_000)
  })

  it('back before the first block came counts as the time before', () => {
    const clock = new SetClock()
    const time = new ChainTime(clock)
    const startMs = clock.timeMs
    clock.jumpMs = -150_000
    assert.equal(time.nowMs(), startMs)
  })
})

const chain = chainOf('wall clock in memory', 8, {})
const offers = offerChain(chain)

const isAt =
  (period: Period) =>
  ({ slot }: { readonly slot: Slot }): boolean =>
    slot.period === period && slot.thread === 0

function offersUpTo(last: Period) {
  return offers.filter(({ slot }) => slot.period <= last)
}

/** Second by second. */
async function pass(holder: ArchiverHolder, durationMs: number): Promise<void> {
  for (let passedMs = 0; passedMs < durationMs; passedMs += 1_000) {
    holder.clock.advance(1_000)
    await settle(20)
  }
}

function countLogged({ logged }: ArchiverHolder, phrase: string): number {
  return logged.filter(({ msg }) => msg === phrase).length
}

function statusOf(holder: ArchiverHolder, period: Period): string {
  try {
    reportFinal(holder, 0, { period, thread: 0 })
    return 'taken'
  } catch (error) {
    return isArchiveError(error) ? error.code : String(error)
  }
}
