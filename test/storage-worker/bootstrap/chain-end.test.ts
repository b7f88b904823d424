import assert from 'node:assert/strict'
import { type Period, parseBlockId, THREAD_COUNT, toHex } from '../../../core/index.ts'
import { readChainEnd } from '../../../storage-worker/bootstrap/chain-end.ts'
import { chainOf } from '../../archiver/made-chain.ts'
import { archivedOf, openStore } from './made-archive.ts'

/** Longer than what is looked at of periods with blocks. */
const STANDSTILL = 40
const LAST = STANDSTILL + 6

/** A chain in which nobody made a block in these periods. */
function stillChain(from: Period, to: Period) {
  const missedSlots = Array.from({ length: (to - from + 1) * THREAD_COUNT }, (_, i) => {
    return { period: from + Math.floor(i / THREAD_COUNT), thread: i % THREAD_COUNT }
  })
  return chainOf('chain end', LAST, { missedSlots })
}

describe('storage-worker/bootstrap/chain-end', () => {
  const chain = stillChain(3, 3 + STANDSTILL - 1)
  const listFrom = (first: Period) => Array.from({ length: LAST + 1 - first }, (_, i) => archivedOf(chain, first + i))

  it('regression: what stands below an archive that begins with a standstill is told by the blocks behind it', async () => {
    const end = await readChainEnd(await openStore(listFrom(3)), 3)
    const below = Array.from({ length: THREAD_COUNT }, (_, thread) => chain.blockAt(2, thread)?.id)
    assert.ok(end)
    assert.deepEqual(
      end.expected,
      below.map((id) => id && toHex(parseBlockId(id))),
    )
    assert.ok(end.links.every((block) => block === undefined))
  })

  it('is not known while not all blocks behind a standstill are there', async () => {
    const store = await openStore(listFrom(3).slice(0, STANDSTILL))
    assert.equal(await readChainEnd(store, 3), undefined)
  })
})
