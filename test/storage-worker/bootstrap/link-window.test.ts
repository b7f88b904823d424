import assert from 'node:assert/strict'
import { toHex } from '../../../core/index.ts'
import type { ChainEnd } from '../../../storage-worker/bootstrap/link-chain.ts'
import { LinkWindow } from '../../../storage-worker/bootstrap/link-window.ts'
import type { PeriodLinks } from '../../../storage-worker/bootstrap/period-links.ts'
import { chainOf } from '../../archiver/made-chain.ts'

const FIRST = 10

describe('storage-worker/bootstrap/link-window', () => {
  const chain = chainOf('link window', FIRST + 1, {
    missRate: 0.1,
    // Thread 7 is silent from 5 to 8, thread 2 from 9 to 9.
    missedSlots: [5, 6, 7, 8].map((period) => ({ period, thread: 7 })).concat({ period: 9, thread: 2 }),
  })
  const linksOf = (period: number): PeriodLinks =>
    Array.from({ length: 32 }, (_, thread) => {
      const block = chain.blockAt(period, thread)
      return block && { id: toHex(block.idBytes), parents: block.header.parents.map(toHex) }
    })
  const newestBelow = (period: number, thread: number): string => {
    for (let at = period - 1; at > 0; at--) {
      const block = chain.blockAt(at, thread)
      if (block) return toHex(block.idBytes)
    }
    return 'genesis'
  }
  const end: ChainEnd = {
    first: FIRST,
    links: linksOf(FIRST),
    expected: Array.from({ length: 32 }, (_, thread) => newestBelow(FIRST, thread)),
  }

  function open(to: number, change: (links: PeriodLinks, period: number) => PeriodLinks = (links) => links) {
    const window = new LinkWindow<{ period: number; sizeBytes: number }>(end)
    const given: number[] = []
    for (let period = FIRST - 1; period >= to; period--) {
      if (!window.add({ period, sizeBytes: 10 }, change(linksOf(period), period)))
        return { window, given, refused: period }
      for (let one = window.takeProven(); one; one = window.takeProven()) given.push(one.period)
    }
    return { window, given, refused: undefined }
  }

  it('gives a period out when the newest block below it is found in every thread', () => {
    for (let to = FIRST - 1; to > 0; to--) {
      const { window, given, refused } = open(to)
      const isProven = (period: number) =>
        Array.from({ length: 32 }, (_, thread) => thread).every((thread) =>
          Array.from({ length: period - to }, (_, i) => to + i).some((at) => chain.blockAt(at, thread)),
        )
      const want = Array.from({ length: FIRST - to }, (_, i) => FIRST - 1 - i).filter(isProven)
      assert.deepEqual([given, refused], [want, undefined], `down to ${to}`)
      assert.equal(window.waitingPeriods, FIRST - to - want.length)
      assert.equal(window.sizeBytes, 10 * window.waitingPeriods)
    }
  })

  it('names what keeps a period waiting, and takes the word that it stands further down', () => {
    const { window, given } = open(6)
    assert.deepEqual(given, [])
    assert.deepEqual(
      window.listOpen().map(({ thread, id, beforePeriod }) => [thread, id, beforePeriod]),
      [[7, newestBelow(9, 7), chain.blockAt(9, 7) ? 9 : 10]],
    )
    assert.equal(window.show(7, 6), false)
    assert.equal(window.show(7, 4), true)
    assert.deepEqual(window.listOpen(), [])
    assert.equal(window.takeProven()?.period, 9)
    assert.equal(window.add({ period: 5, sizeBytes: 10 }, linksOf(5)), true)
    const without = linksOf(4).map((block, thread) => (thread === 7 ? undefined : block))
    assert.equal(window.add({ period: 4, sizeBytes: 10 }, without), false)
  })

  it('refuses another block, a block where none may be, and one that is left out, in that period or the next', () => {
    const replace = (at: number, by: (id: string) => string | undefined) => (links: PeriodLinks, period: number) =>
      links.map((block, thread) => {
        if (period !== at || thread !== 0 || !block) return block
        const id = by(block.id)
        return id === undefined ? undefined : { ...block, id }
      })
    const at = [8, 7, 6].find((period) => chain.blockAt(period, 0) && chain.blockAt(period - 1, 0)) ?? 0
    assert.ok(at > 0)
    assert.equal(
      open(
        1,
        replace(at, () => 'other'),
      ).refused,
      at,
    )
    const { refused = 0 } = open(
      1,
      replace(at, () => undefined),
    )
    assert.ok(refused === at || refused === at - 1, `${refused}`)
    const extra = (links: PeriodLinks, period: number): PeriodLinks =>
      links.map((block, thread) => (period === 8 && thread === 7 ? { id: 'extra', parents: [] } : block))
    assert.equal(open(1, extra).refused, 8)
  })

  it('finds out at once who leaves a whole thread out', () => {
    const without = (links: PeriodLinks) => links.map((block, thread) => (thread === 0 ? undefined : block))
    const { refused = 0 } = open(1, without)
    assert.ok(refused >= FIRST - 4, `${refused}`)
  })

  it('error: periods that do not follow each other are a bug', () => {
    const { window } = open(8)
    assert.throws(() => window.add({ period: 6, sizeBytes: 1 }, linksOf(6)), /period 6 where 7 is due/)
  })
})
