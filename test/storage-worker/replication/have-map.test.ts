import assert from 'node:assert/strict'
import fc from 'fast-check'
import { HASH_SLOTS } from '../../../core/index.ts'
import {
  haveResponseCodec,
  MAX_HAVE_PAGE_BYTES,
  MAX_HAVE_PAGES,
  MAX_MISSING_RANGES,
  type MissingRange,
  readSigner,
  type SignedHavePage,
  verifyHavePage,
} from '../../../protocol-handler/index.ts'
import { HaveDraft, MAX_HAVE_EXCEPTIONS } from '../../../storage-worker/replication/have-draft.ts'
import { HaveMap } from '../../../storage-worker/replication/have-map.ts'
import { createHaveService } from '../../../storage-worker/replication/have-service.ts'
import type { HeldEra } from '../../../storage-worker/replication/held-span.ts'
import { OwnHoldings } from '../../../storage-worker/replication/own-holdings.ts'
import { SlotSet } from '../../../storage-worker/replication/slot-set.ts'
import { StillClock } from '../../clocks.ts'
import { SEED } from '../../protocol-handler/sample-messages.ts'
import { MadeArchive, NETWORK } from './made-archive.ts'
import { addressOf } from './made-nodes.ts'

const ALL = Array.from({ length: HASH_SLOTS }, (_, slot) => slot)

function finish(draft: HaveDraft, headPeriod = 1_279): readonly SignedHavePage[] {
  const steps = draft.makePages({ seed: SEED, network: NETWORK }, headPeriod)
  for (;;) {
    const step = steps.next()
    if (step.done) return step.value
  }
}

/** All of an era but the chunks in these hash slots, and these periods. */
function heldBut(slots: readonly number[], absent: readonly MissingRange[] = []): HeldEra {
  return { missing: slots.length === 0 ? SlotSet.NONE : new SlotSet(slots), absent }
}

/** What a map says of one hash slot in one era. */
function tells(pages: readonly SignedHavePage[], hashSlot: number, era: number): boolean {
  const page = pages.find(({ fromHashSlot, endHashSlot }) => hashSlot >= fromHashSlot && hashSlot < endHashSlot)
  const held = page?.held.find((slot) => slot.hashSlot === hashSlot)
  if (!page || !held || era < page.firstEra || era >= held.endEra) return false
  return !page.exceptions.some((exception) => exception.hashSlot === hashSlot && exception.era === era)
}

describe('storage-worker/replication: the own have-map', () => {
  function make(archive: MadeArchive, slots: readonly number[] | undefined) {
    const clock = new StillClock()
    const holdings = new OwnHoldings(archive, clock)
    const duty: { slots: readonly number[] | undefined } = { slots }
    const map = new HaveMap(
      { seed: SEED, network: NETWORK },
      { holdings, listSlots: () => duty.slots, clock, onFailure: (error) => assert.fail(String(error)) },
    )
    const service = createHaveService(map)
    const ask = async (fromHashSlot: number) => {
      const [frame = new Uint8Array()] = await service.answer({ fromHashSlot }, 'peer')
      return haveResponseCodec.decode(frame)
    }
    const askAll = async () => {
      const pages: SignedHavePage[] = []
      for (let at = 0; at < HASH_SLOTS; ) {
        const answer = await ask(at)
        assert.equal(answer.status, 'ok')
        if (answer.status !== 'ok') break
        pages.push(answer.page)
        at = answer.page.endHashSlot
      }
      return pages
    }
    return { archive, clock, holdings, duty, map, ask, askAll }
  }

  it('tells of the hash slots of the duty, each up to the era behind its newest complete one, and what lacks before', async () => {
    const archive = new MadeArchive().fill(130, 700, (period) => [period % 4])
    archive.drop(698, 0) // hash slot 2, era 5
    archive.drop(401, 0) // hash slot 1, era 3
    archive.drop(403, 0) // hash slot 3, not of the duty
    archive.periods.delete(520) // era 4, which is told none the less
    const { map, askAll } = make(archive, [0, 1, 2, 9])
    await map.look()
    const pages = await askAll()
    assert.deepEqual(
      pages.map(({ signature: _, ...page }) => page),
      [
        {
          network: NETWORK,
          headPeriod: 700,
          firstEra: 1,
          fromHashSlot: 0,
          endHashSlot: HASH_SLOTS,
          held: [
            { hashSlot: 0, endEra: 6 },
            { hashSlot: 1, endEra: 6 },
            { hashSlot: 2, endEra: 5 },
            { hashSlot: 9, endEra: 6 },
          ],
          exceptions: [{ hashSlot: 1, era: 3 }],
          missingPeriods: [{ fromPeriod: 520, endPeriod: 521 }],
        },
      ],
    )
    for (const page of pages) assert.deepEqual([readSigner(page), verifyHavePage(page)], [addressOf(SEED), true])
  })

  it('is empty without a duty, and there is none of an empty archive', async () => {
    const archive = new MadeArchive()
    const { map, clock, ask, askAll } = make(archive, [])
    assert.deepEqual(await ask(0), { status: 'busy' })
    await map.look()
    assert.deepEqual(await ask(0), { status: 'notHeld' })
    archive.fill(0, 10)
    clock.advance(1_000)
    await map.look()
    const [page] = await askAll()
    assert.deepEqual([page?.held, page?.exceptions, page?.headPeriod, page?.endHashSlot], [[], [], 10, HASH_SLOTS])
  })

  it('is not made before it is known what the duty is', async () => {
    const { map, duty, ask } = make(new MadeArchive().fill(0, 10), undefined)
    await map.look()
    assert.deepEqual(await ask(0), { status: 'busy' })
    duty.slots = [3]
    await map.look()
    assert.equal((await ask(0)).status, 'ok')
  })

  it('is made anew when something came, went, or the duty changed, and only then', async () => {
    const archive = new MadeArchive().fill(0, 300, () => [5])
    const { map, holdings, clock, duty, ask } = make(archive, [5])
    const pageOf = async () => {
      const answer = await ask(0)
      assert.ok(answer.status === 'ok')
      return answer.page
    }
    await map.look()
    const first = await pageOf()
    clock.advance(5_000)
    await map.look()
    assert.deepEqual(await pageOf(), first)
    archive.drop(3, 0)
    holdings.note(3)
    await map.look()
    assert.deepEqual((await pageOf()).exceptions, [])
    assert.deepEqual((await pageOf()).firstEra, 1)
    archive.fill(301, 310, () => [5])
    clock.advance(5_000)
    await map.look()
    assert.equal((await pageOf()).headPeriod, 310)
    duty.slots = [5, 6]
    await map.look()
    assert.deepEqual(
      (await pageOf()).held.map(({ hashSlot }) => hashSlot),
      [5, 6],
    )
  })

  it('whoever has read the first page of a map can read on when it is made anew; other pages are refused', async () => {
    const archive = new MadeArchive().fill(0, 300)
    const { map, holdings, duty, ask, askAll } = make(archive, ALL)
    await map.look()
    const [first, second] = await askAll()
    assert.ok(first && second)
    duty.slots = ALL.slice(5)
    holdings.note(300)
    await map.look()
    const [newFirst] = await askAll()
    assert.notEqual(newFirst?.endHashSlot, first.endHashSlot)
    assert.deepEqual(await ask(first.endHashSlot), { status: 'ok', page: second })
    assert.deepEqual(await ask(1), { status: 'refused' })
  })

  it('tells the same as the archive, whatever lacks', () => {
    const missing = fc.array(fc.option(fc.array(fc.nat(5), { maxLength: 5 }), { nil: undefined }), { maxLength: 12 })
    fc.assert(
      fc.property(missing, (eras) => {
        const draft = new HaveDraft([0, 1, 3, 4])
        for (const [i, slots] of eras.entries()) assert.ok(draft.take(eras.length - 1 - i, slots && heldBut(slots)))
        const pages = finish(draft)
        for (const [i, slots] of eras.entries()) {
          for (let slot = 0; slot < 6; slot++) {
            const isHeld = [0, 1, 3, 4].includes(slot) && slots?.includes(slot) === false
            assert.equal(
              tells(pages, slot, eras.length - 1 - i),
              isHeld,
              `hash slot ${slot}, era ${eras.length - 1 - i}`,
            )
          }
        }
      }),
      { numRuns: 200, seed: 11 },
    )
  })

  it('names periods that are not there, joined over eras, and tells the rest of their eras as held', () => {
    const draft = new HaveDraft([0, 1])
    draft.take(3, heldBut([], [{ fromPeriod: 500, endPeriod: 512 }]))
    draft.take(2, heldBut([1], [{ fromPeriod: 383, endPeriod: 384 }]))
    draft.take(
      1,
      heldBut(
        [],
        [
          { fromPeriod: 130, endPeriod: 131 },
          { fromPeriod: 250, endPeriod: 256 },
        ],
      ),
    )
    draft.take(0, undefined)
    // What came while it was drawn is not told of.
    const pages = finish(draft, 505)
    const [page] = pages
    assert.ok(page && pages.length === 1)
    assert.deepEqual(page.missingPeriods, [
      { fromPeriod: 130, endPeriod: 131 },
      { fromPeriod: 250, endPeriod: 256 },
      { fromPeriod: 383, endPeriod: 384 },
      { fromPeriod: 500, endPeriod: 505 },
    ])
    assert.deepEqual(
      [page.firstEra, tells(pages, 0, 1), tells(pages, 1, 2), tells(pages, 0, 0)],
      [1, true, false, false],
    )
    assert.deepEqual(haveResponseCodec.decode(haveResponseCodec.encode({ status: 'ok', page })), { status: 'ok', page })
  })

  it('limit: 64 runs of missing periods are named; an era with one more is told as not held, older ones without are', () => {
    const draft = new HaveDraft([0])
    const runs = (era: number, count: number): MissingRange[] =>
      Array.from({ length: count }, (_, i) => ({ fromPeriod: era * 128 + 2 * i, endPeriod: era * 128 + 2 * i + 1 }))
    draft.take(3, heldBut([], runs(3, 40)))
    draft.take(2, heldBut([], runs(2, 24)))
    draft.take(1, heldBut([], runs(1, 1)))
    draft.take(0, heldBut([]))
    const pages = finish(draft)
    assert.equal(pages[0]?.missingPeriods.length, MAX_MISSING_RANGES)
    assert.deepEqual(
      [3, 2, 1, 0].map((era) => tells(pages, 0, era)),
      [true, true, false, true],
    )
  })

  it('limit: all hash slots with the most exceptions fit into 32 pages, each as long as one may be; of more nothing older is told', () => {
    const perEra = 10_000
    const most = MAX_HAVE_EXCEPTIONS / perEra
    const draft = new HaveDraft(ALL)
    const some = heldBut(ALL.slice(0, perEra))
    assert.ok(draft.take(most + 1, heldBut([])))
    for (let era = most; era > 0; era--) assert.ok(draft.take(era, some), `era ${era}`)
    assert.ok(!draft.take(0, heldBut([7])))
    const pages = finish(draft, 128 * (most + 2) - 1)
    assert.ok(pages.length <= MAX_HAVE_PAGES)
    for (const page of pages) assert.ok(haveResponseCodec.encode({ status: 'ok', page }).length <= MAX_HAVE_PAGE_BYTES)
    assert.equal(
      pages.reduce((sum, page) => sum + page.exceptions.length, 0),
      MAX_HAVE_EXCEPTIONS,
    )
    assert.deepEqual([...new Set(pages.map(({ firstEra }) => firstEra))], [1])
  })

  it('limit: of one hash slot 5,000 exceptions are told, and half a page is never left empty', () => {
    const draft = new HaveDraft(ALL.slice(0, 40))
    assert.ok(draft.take(5_001, heldBut([])))
    const some = heldBut(ALL.slice(0, 30))
    for (let era = 5_000; era > 0; era--) assert.ok(draft.take(era, some))
    assert.ok(!draft.take(0, some))
    const pages = finish(draft, 128 * 5_002)
    assert.ok(pages.length <= MAX_HAVE_PAGES)
    assert.equal(
      pages.reduce((sum, page) => sum + page.exceptions.length, 0),
      150_000,
    )
  })

  it('of a hole that is too long to be told the side is told on which more is held', async () => {
    for (const [first, hole, last, held] of [
      [0, [100, 300], 350, [99, undefined]],
      [0, [20, 200], 350, [undefined, 201]],
    ] as const) {
      const archive = new MadeArchive()
      const holdings = {
        changes: 0,
        readRange: async () => ({ first: first * 128, last: last * 128 + 127 }),
        readEra: async (era: number) => (era >= hole[0] && era <= hole[1] ? undefined : heldBut([])),
      }
      const { askAll } = make(archive, [])
      assert.ok(askAll)
      const map = new HaveMap(
        { seed: SEED, network: NETWORK },
        { holdings, listSlots: () => ALL, clock: new StillClock(), onFailure: (error) => assert.fail(String(error)) },
      )
      await map.look()
      const answer = haveResponseCodec.decode(map.answer(0))
      assert.ok(answer.status === 'ok')
      const pages = [answer.page]
      const [old, recent] = held
      if (old !== undefined) assert.deepEqual([tells(pages, 0, old), tells(pages, 0, 301)], [true, false])
      if (recent !== undefined) assert.deepEqual([tells(pages, 0, recent), tells(pages, 0, 19)], [true, false])
      assert.deepEqual([tells(pages, 0, hole[0]), tells(pages, 0, hole[1])], [false, false])
    }
  })
})
