import assert from 'node:assert/strict'
import type { PeriodRange } from '../../../archiver/index.ts'
import { type ArchivedPeriod, type Period, THREAD_COUNT } from '../../../core/index.ts'
import { type BlockRequest, blockResponseCodec } from '../../../protocol-handler/index.ts'
import { chainOf } from '../../archiver/made-chain.ts'
import { joinFrame } from '../../join-frame.ts'
import { archivedOf, type HeldFiller, makeHoleFiller, openStore } from './made-archive.ts'

const LAST = 12
/** So few blocks that one period does not say what stands below it. */
const MISS_RATE = 0.8

describe('storage-worker/bootstrap: what a filler of holes writes', () => {
  const chain = chainOf('hole filler order', LAST, { missRate: MISS_RATE })
  const periods = Array.from({ length: LAST + 1 }, (_, period) => archivedOf(chain, period))

  /** @param options.of the chain, from period 0 @param options.liar what it has, if there is one */
  async function hold(
    lacking: ReadonlySet<Period>,
    { of = periods, liar }: { of?: readonly ArchivedPeriod[]; liar?: readonly ArchivedPeriod[] } = {},
  ) {
    const store = await openStore(of.filter((_, period) => !lacking.has(period)))
    const archive = new FakeArchive(lacking)
    const firstPeriods = new Map([['liar', liar?.[0]?.manifest.period ?? 0]])
    const held: HeldFiller = makeHoleFiller({ store, archiver: archive }, { endPeriod: of.length, firstPeriods })
    if (liar) held.peers.stores.set('liar', await openStore(liar))
    held.peers.stores.set('a', await openStore(of))
    await held.filler.look()
    held.clock.advance(60_000)
    return { ...held, store, archive }
  }

  it('holes from the newest down: the lower one needs what stands in the one above it', async () => {
    const { filler, archive } = await hold(new Set([4, 5, 7, 8]))
    assert.equal(await filler.look(), 4)
    assert.deepEqual(archive.filled, [8, 7, 5, 4])
  })

  it('hostile peer: who leaves out a block of one period leads once, though it gave least and others may have lied', async () => {
    const thread = Array.from({ length: THREAD_COUNT }, (_, i) => i).find((i) => chain.blockAt(8, i))
    const liar = [archivedOf(chain, 8, (slot, at) => (at === thread ? { kind: 'miss' } : slot)), ...periods.slice(9)]
    const { filler, archive, offences } = await hold(new Set([5, 6, 7, 8]), { liar })
    assert.equal(await filler.look(), 0)
    assert.deepEqual(offences, [])
    assert.equal(await filler.look(), 4)
    assert.deepEqual(archive.filled, [8, 7, 6, 5])
  })

  it('not a period that was archived while it was fetched', async () => {
    const { filler, archive, store, peers } = await hold(new Set([7, 8]))
    peers.answer = async (_peer, name, honest, request) => {
      if (name === 'chunk' && archive.lacking.delete(7)) {
        await store.writePeriod(archivedOf(chain, 7))
      }
      return honest(request)
    }
    assert.equal(await filler.look(), 1)
    assert.deepEqual(archive.filled, [8])
  })

  it('though threads have no block within 16 periods below the hole, and no peer can show one: each holds parts', async () => {
    const silent = chainOf('hole filler, silent threads', 30, { missRate: 0.95 })
    const all = Array.from({ length: 31 }, (_, period) => archivedOf(silent, period))
    const { filler, archive, offences, peers } = await hold(new Set([23, 24]), { of: all })
    peers.answer = async (_peer, name, honest, request) =>
      name === 'block' ? refuseBlocks(request as BlockRequest) : honest(request)
    assert.equal(await filler.look(), 2)
    assert.deepEqual(archive.filled, [24, 23])
    assert.deepEqual(offences, [])
  })
})

function refuseBlocks({ blocks }: BlockRequest): Uint8Array[] {
  return blocks.map(({ id }) => joinFrame(blockResponseCodec.encode({ status: 'notHeld', id })))
}

/** What an archiver says of its holes. */
class FakeArchive {
  readonly filled: Period[] = []
  readonly lacking: Set<Period>

  constructor(lacking: ReadonlySet<Period>) {
    this.lacking = new Set(lacking)
  }

  status(): { holes: PeriodRange[] } {
    const holes: PeriodRange[] = []
    for (const period of [...this.lacking].sort((a, b) => a - b)) {
      const last = holes.at(-1)
      if (last?.to === period - 1) holes[holes.length - 1] = { from: last.from, to: period }
      else holes.push({ from: period, to: period })
    }
    return { holes }
  }

  async attest(): Promise<Uint8Array> {
    return new Uint8Array(1)
  }

  async onFilled(period: Period): Promise<void> {
    this.filled.push(period)
    this.lacking.delete(period)
  }
}
