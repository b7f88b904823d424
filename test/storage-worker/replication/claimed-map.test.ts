import assert from 'node:assert/strict'
import fc from 'fast-check'
import { ERA_PERIODS, HASH_SLOTS } from '../../../core/index.ts'
import {
  type HavePage,
  MAX_GAP_BYTES,
  MAX_GAP_ERAS,
  MAX_ODD_SLOTS,
  type SignedHavePage,
} from '../../../protocol-handler/index.ts'
import {
  type ClaimedMap,
  compactPages,
  MAX_CLAIMED_MAP_BYTES,
} from '../../../storage-worker/replication/claimed-map.ts'
import { SIGNATURE } from '../../protocol-handler/sample-messages.ts'
import { NETWORK } from './made-archive.ts'

function pageOf(changes: Partial<HavePage>): SignedHavePage {
  return {
    network: NETWORK,
    headPeriod: 128_000,
    firstEra: 0,
    fromHashSlot: 0,
    endHashSlot: HASH_SLOTS,
    held: [],
    exceptions: [],
    missingPeriods: [],
    signature: SIGNATURE,
    ...changes,
  }
}

function compact(...pages: readonly Partial<HavePage>[]): ClaimedMap {
  const steps = compactPages(pages.map(pageOf))
  for (;;) {
    const step = steps.next()
    if (step.done) return step.value
  }
}

const slotsUpTo = (count: number, endEra: number, from = 0) =>
  Array.from({ length: count }, (_, i) => ({ hashSlot: from + i, endEra }))

describe('storage-worker/replication/claimed-map', () => {
  it('of missing periods that pages name it is whole in no hash slot, and holds the rest of their eras', () => {
    const held = slotsUpTo(3, 1_001)
    const one = { endHashSlot: 2, held: held.slice(0, 2), missingPeriods: [{ fromPeriod: 5, endPeriod: 7 }] }
    const map = compact(one, {
      fromHashSlot: 2,
      held: held.slice(2),
      missingPeriods: [{ fromPeriod: 7, endPeriod: 9 }],
    })
    assert.deepEqual([map.has(0, 0), map.isWhole(0), map.lacksSome], [true, false, true])
    const asked = [
      [0, 4],
      [4, 5],
      [8, 8],
      [9, 127],
    ] as const
    assert.deepEqual(
      asked.map(([first, last]) => map.isMissingIn({ first, last })),
      [false, true, true, false],
    )
    assert.equal(compact({ held }).isWhole(0), true)
  })

  it('says what the pages say', () => {
    const slot = fc.record({
      hashSlot: fc.nat(9),
      endEra: fc.nat({ max: 6 }),
      eras: fc.array(fc.nat({ max: 6 }), { maxLength: 4 }),
    })
    const map = fc.record({
      firstEra: fc.nat({ max: 3 }),
      slots: fc.uniqueArray(slot, { selector: ({ hashSlot }) => hashSlot }),
    })
    fc.assert(
      fc.property(map, fc.nat(9), ({ firstEra, slots }, headEra) => {
        const headPeriod = headEra * ERA_PERIODS + 5
        const made = slots
          // What ends behind the head is refused with its page.
          .filter(({ endEra }) => endEra + firstEra <= headEra + 1)
          .map(({ hashSlot, endEra, eras }) => ({ hashSlot, endEra: endEra + firstEra, eras }))
          .sort((a, b) => a.hashSlot - b.hashSlot)
        const exceptions = made.flatMap(({ hashSlot, endEra, eras }) =>
          [...new Set(eras)]
            .sort((a, b) => a - b)
            .filter((era) => era >= firstEra && era < endEra)
            .map((era) => ({ hashSlot, era })),
        )
        const claimed = compact(
          {
            headPeriod,
            firstEra,
            endHashSlot: 5,
            held: made.filter(({ hashSlot }) => hashSlot < 5),
            exceptions: exceptions.filter(({ hashSlot }) => hashSlot < 5),
          },
          {
            headPeriod,
            firstEra,
            fromHashSlot: 5,
            held: made.filter(({ hashSlot }) => hashSlot >= 5),
            exceptions: exceptions.filter(({ hashSlot }) => hashSlot >= 5),
          },
        )
        for (let hashSlot = 0; hashSlot < 10; hashSlot++) {
          const held = made.find((entry) => entry.hashSlot === hashSlot)
          for (let era = 0; era < 10; era++) {
            const isException = exceptions.some((entry) => entry.hashSlot === hashSlot && entry.era === era)
            const expected = held !== undefined && era >= firstEra && era < held.endEra && !isException
            assert.equal(claimed.has(hashSlot, era), expected, `hash slot ${hashSlot}, era ${era}`)
          }
          const isWhole = held?.endEra === headEra + 1 && !exceptions.some((entry) => entry.hashSlot === hashSlot)
          assert.equal(claimed.isWhole(hashSlot), isWhole, `hash slot ${hashSlot}`)
        }
      }),
      { numRuns: 200, seed: 3 },
    )
  })

  it('of pages that differ in head and first era the least counts', () => {
    const claimed = compact(
      { endHashSlot: 10, headPeriod: 500, firstEra: 1, held: slotsUpTo(1, 3) },
      { fromHashSlot: 10, headPeriod: 600, firstEra: 2, held: slotsUpTo(1, 3, 10) },
    )
    assert.equal(claimed.headPeriod, 500)
    assert.deepEqual(
      [1, 2, 3].map((era) => [claimed.has(0, era), claimed.has(10, era)]),
      [
        [false, false],
        [true, true],
        [false, false],
      ],
    )
  })

  it('an honest map takes 2 kB at most, and an era that was missed in all hash slots 8 bytes', () => {
    const held = slotsUpTo(HASH_SLOTS, 1_000)
    assert.equal(compact({ held }).sizeBytes, 2_048)
    assert.equal(compact({ held: held.slice(0, 80) }).sizeBytes, 160)
    const exceptions = held.flatMap(({ hashSlot }) => [7, 8, 9].map((era) => ({ hashSlot, era })))
    const missed = compact({ held, exceptions })
    assert.equal(missed.sizeBytes, 2_048 + 3 * 8)
    assert.deepEqual(
      [6, 7, 9, 10].map((era) => missed.has(5_000, era)),
      [true, false, false, true],
    )
  })

  it('limit: of hash slots that end elsewhere than most, so many count and no more', () => {
    const odd = slotsUpTo(MAX_ODD_SLOTS + 1, 500)
    const claimed = compact({ held: [...odd, { hashSlot: 9_000, endEra: 1_000 }] })
    assert.deepEqual(
      [MAX_ODD_SLOTS - 1, MAX_ODD_SLOTS, 9_000].map((slot) => [claimed.has(slot, 499), claimed.has(slot, 500)]),
      [
        [true, false],
        [false, false],
        [true, true],
      ],
    )
  })

  it('limit: of eras with exceptions, so many count; nothing older does', () => {
    const held = slotsUpTo(2, 20_000)
    const every = (count: number) => Array.from({ length: count }, (_, i) => ({ hashSlot: 0, era: 10 + 2 * i }))
    const atLimit = compact({ held, exceptions: every(MAX_GAP_ERAS) })
    assert.deepEqual(
      [9, 10, 11].map((era) => atLimit.has(0, era)),
      [true, false, true],
    )
    const past = compact({ held, exceptions: every(MAX_GAP_ERAS + 1) })
    assert.deepEqual(
      [9, 10, 11, 12, 13].map((era) => past.has(0, era)),
      [false, false, true, false, true],
    )
    assert.deepEqual(
      [9, 10, 11].map((era) => past.has(1, era)),
      [false, false, true],
    )
  })

  it('limit: an era whose exceptions do not fit is missing in all hash slots; newer ones are kept', () => {
    const held = slotsUpTo(HASH_SLOTS, 100)
    const eras = MAX_GAP_BYTES / 2_048 + 1
    const exceptions = slotsUpTo(2_000, 0).flatMap(({ hashSlot }) =>
      Array.from({ length: eras }, (_, i) => ({ hashSlot, era: 50 + i })),
    )
    const claimed = compact({ held, exceptions })
    assert.deepEqual([claimed.has(1, 50), claimed.has(5_000, 50)], [false, false])
    assert.deepEqual([claimed.has(1, 51), claimed.has(5_000, 51)], [false, true])
    assert.ok(claimed.has(1, 49))
  })

  it('limit: takes 58 kB at most, whatever the node says', () => {
    const held = [...slotsUpTo(12_000, 900), ...slotsUpTo(HASH_SLOTS - 12_000, 20_000, 12_000)]
    const exceptions = held
      .slice(9_000, 12_500)
      .flatMap(({ hashSlot }) => Array.from({ length: 20 }, (_, i) => ({ hashSlot, era: 3 * i })))
      .concat(Array.from({ length: 2_000 }, (_, era) => ({ hashSlot: 16_000, era: 5_000 + era })))
    const missingPeriods = Array.from({ length: 100 }, (_, i) => ({ fromPeriod: 2 * i, endPeriod: 2 * i + 1 }))
    const claimed = compact({ held, exceptions, missingPeriods })
    assert.ok(claimed.sizeBytes <= MAX_CLAIMED_MAP_BYTES)
    assert.ok(MAX_CLAIMED_MAP_BYTES <= 58_000)
  })
})
