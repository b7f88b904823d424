import assert from 'node:assert/strict'
import fc from 'fast-check'
import { Agreement, type Claim } from '../../archiver/agreement.ts'
import { type BlockIdText, type Slot, slotIndex, slotOfIndex } from '../../core/index.ts'

const A = 'block A' as BlockIdText
const B = 'block B' as BlockIdText
const C = 'block C' as BlockIdText
const SLOT = { period: 10, thread: 3 }
const LATER = { period: 11, thread: 3 }

/** Nodes that are all up, with the given final slots. */
function agreementOf(...cursors: Slot[]): Agreement {
  const agreement = new Agreement(cursors.length)
  for (const [node, cursor] of cursors.entries()) {
    agreement.setUp(node, true)
    agreement.setCursor(node, cursor)
  }
  return agreement
}

const AHEAD = { period: 12, thread: 0 }

describe('archiver/agreement', () => {
  describe('one node', () => {
    it('is believed, once for each slot and in the order of slots', () => {
      const agreement = agreementOf(AHEAD)
      agreement.claim(0, LATER, B)
      agreement.claim(0, SLOT, A)
      assert.deepEqual(agreement.takeAgreed(), [
        { slot: SLOT, id: A },
        { slot: LATER, id: B },
      ])
      agreement.claim(0, SLOT, A)
      assert.deepEqual(agreement.takeAgreed(), [])
      assert.ok(agreement.isAgreed(SLOT, A) && !agreement.isAgreed(SLOT, B) && !agreement.isAgreed(LATER, A))
    })

    it('that changes its mind is taken by its last word, and what it said before is named', () => {
      const agreement = agreementOf(AHEAD)
      agreement.claim(0, SLOT, A)
      agreement.takeAgreed()
      agreement.claim(0, SLOT, B)
      assert.deepEqual(agreement.takeAgreed(), [{ slot: SLOT, id: B, instead: A }])
    })

    it('that says a slot has no block names none, and no conflict', () => {
      const agreement = agreementOf(AHEAD)
      agreement.claim(0, SLOT, 'none')
      assert.deepEqual(agreement.takeAgreed(), [])
      assert.equal(agreement.firstConflict(), undefined)
    })
  })

  describe('two nodes', () => {
    it('decide when both name the same block', () => {
      const agreement = agreementOf(AHEAD, AHEAD)
      agreement.claim(0, SLOT, A)
      assert.deepEqual(agreement.takeAgreed(), [])
      agreement.claim(1, SLOT, A)
      assert.deepEqual(agreement.takeAgreed(), [{ slot: SLOT, id: A }])
    })

    it('are in conflict over two ids, and over an id and no block; nothing is agreed from the first conflict on', () => {
      for (const other of [B, 'none'] as const) {
        const agreement = agreementOf(AHEAD, AHEAD)
        for (const node of [0, 1]) {
          agreement.claim(node, { period: 9, thread: 0 }, C)
          agreement.claim(node, LATER, C)
        }
        agreement.claim(0, SLOT, A)
        agreement.claim(1, SLOT, other)
        assert.deepEqual(agreement.takeAgreed(), [{ slot: { period: 9, thread: 0 }, id: C }])
        const conflict = agreement.firstConflict()
        assert.deepEqual(conflict?.slot, SLOT)
        assert.deepEqual(
          conflict?.claims,
          new Map<number, Claim>([
            [0, A],
            [1, other],
          ]),
        )
        // They agree again: what waited comes, in order.
        agreement.claim(1, SLOT, A)
        assert.equal(agreement.firstConflict(), undefined)
        assert.deepEqual(agreement.takeAgreed(), [
          { slot: SLOT, id: A },
          { slot: LATER, id: C },
        ])
      }
    })

    it('are never outvoted by each other: a majority needs three', () => {
      const agreement = agreementOf(AHEAD, AHEAD)
      agreement.claim(0, SLOT, A)
      agreement.claim(1, SLOT, B)
      assert.deepEqual(agreement.takeAgreed(), [])
    })

    it('wait for one that was not asked yet, whatever the other says', () => {
      const agreement = new Agreement(2)
      agreement.setCursor(0, slotOfIndex(5_000))
      agreement.claim(0, SLOT, A)
      assert.deepEqual(agreement.takeAgreed(), [])
      agreement.setUp(1, false)
      assert.deepEqual(agreement.takeAgreed(), [{ slot: SLOT, id: A }])
    })

    it('of which one decides alone: it is named with the first slot, until both decide again', () => {
      const agreement = agreementOf(AHEAD, AHEAD)
      const name = (node: number, index: number) => agreement.claim(node, slotOfIndex(index), A)
      for (const node of [0, 1]) name(node, 320)
      agreement.takeAgreed()
      assert.equal(agreement.lone, undefined)
      agreement.setUp(1, false)
      for (const index of [322, 321]) name(0, index)
      agreement.takeAgreed()
      name(0, 323)
      agreement.takeAgreed()
      assert.deepEqual(agreement.lone, { slot: slotOfIndex(321), node: 0 })
      agreement.setUp(1, true)
      for (const node of [0, 1]) name(node, 324)
      agreement.takeAgreed()
      assert.equal(agreement.lone, undefined)
    })

    it('wait for a live one that is near, even behind the slot, and not for one that is down', () => {
      const agreement = agreementOf(AHEAD, { period: 9, thread: 0 })
      agreement.claim(0, SLOT, A)
      assert.deepEqual(agreement.takeAgreed(), [])
      agreement.setUp(1, false)
      assert.deepEqual(agreement.takeAgreed(), [{ slot: SLOT, id: A }])
    })

    it('limit: one that is up to 640 slots behind the head is waited for, one slot further not', () => {
      const agreement = agreementOf(slotOfIndex(1000), slotOfIndex(360))
      agreement.claim(0, slotOfIndex(900), A)
      assert.deepEqual(agreement.takeAgreed(), [])
      agreement.setCursor(1, slotOfIndex(359))
      assert.deepEqual(agreement.takeAgreed(), [{ slot: slotOfIndex(900), id: A }])
    })

    it('that is far behind but past the slot is heard all the same', () => {
      const agreement = agreementOf(slotOfIndex(2000), slotOfIndex(500))
      agreement.claim(0, slotOfIndex(500), A)
      assert.deepEqual(agreement.takeAgreed(), [])
      agreement.claim(1, slotOfIndex(500), B)
      assert.deepEqual(agreement.firstConflict()?.slot, slotOfIndex(500))
    })
  })

  describe('three nodes', () => {
    it('decide by a strict majority of all configured ones, without waiting for the third', () => {
      const agreement = agreementOf(AHEAD, AHEAD, AHEAD)
      agreement.claim(0, SLOT, A)
      assert.deepEqual(agreement.takeAgreed(), [])
      agreement.claim(2, SLOT, A)
      assert.deepEqual(agreement.takeAgreed(), [{ slot: SLOT, id: A }])
      agreement.claim(1, SLOT, B)
      assert.equal(agreement.firstConflict(), undefined)
      assert.deepEqual(agreement.takeAgreed(), [])
    })

    it('of which one is down and two disagree are in conflict, as are three of three minds', () => {
      const agreement = agreementOf(AHEAD, AHEAD, AHEAD)
      agreement.setUp(2, false)
      agreement.claim(0, SLOT, A)
      agreement.claim(1, SLOT, B)
      assert.deepEqual(agreement.firstConflict()?.slot, SLOT)
      agreement.claim(2, SLOT, C)
      assert.deepEqual(agreement.firstConflict()?.slot, SLOT)
      agreement.claim(2, SLOT, B)
      assert.deepEqual(agreement.takeAgreed(), [{ slot: SLOT, id: B }])
    })

    it('limit: of 3 and 4, one and two decide nothing, whoever is down; one more does', () => {
      for (const [nodeCount, enough] of [
        [3, 2],
        [4, 3],
      ] as const) {
        const agreement = agreementOf(...Array.from({ length: nodeCount }, () => AHEAD))
        for (let node = enough - 1; node < nodeCount; node++) agreement.setUp(node, false)
        for (let node = 0; node < enough - 1; node++) agreement.claim(node, SLOT, A)
        assert.deepEqual(agreement.takeAgreed(), [])
        assert.equal(agreement.firstConflict(), undefined)
        const silent = Array.from({ length: nodeCount - enough + 1 }, (_, i) => enough - 1 + i)
        assert.deepEqual(
          agreement.findAwaited(() => true),
          { slot: SLOT, nodes: silent },
        )
        agreement.claim(enough - 1, SLOT, A)
        assert.deepEqual(agreement.takeAgreed(), [{ slot: SLOT, id: A }])
      }
    })

    it('of which two say that there is no block outvote the third', () => {
      const agreement = agreementOf(AHEAD, AHEAD, AHEAD)
      agreement.claim(0, SLOT, A)
      agreement.claim(1, SLOT, 'none')
      agreement.claim(2, SLOT, 'none')
      assert.deepEqual(agreement.takeAgreed(), [])
      assert.equal(agreement.firstConflict(), undefined)
    })
  })

  it('forgets what a restarted node said, and waits for it anew', () => {
    const agreement = agreementOf(AHEAD, AHEAD)
    agreement.claim(0, SLOT, A)
    agreement.claim(1, SLOT, B)
    assert.ok(agreement.firstConflict())
    agreement.forgetNode(1)
    assert.equal(agreement.firstConflict(), undefined)
    assert.deepEqual(agreement.takeAgreed(), [])
    agreement.claim(1, SLOT, A)
    assert.deepEqual(agreement.takeAgreed(), [{ slot: SLOT, id: A }])
  })

  it('forgets what lies before a slot, conflicts too', () => {
    const agreement = agreementOf(AHEAD, AHEAD)
    agreement.claim(0, SLOT, A)
    agreement.claim(1, SLOT, B)
    agreement.forgetBefore(SLOT)
    assert.ok(agreement.firstConflict())
    agreement.forgetBefore({ period: 10, thread: 4 })
    assert.equal(agreement.firstConflict(), undefined)
    assert.deepEqual(agreement.takeAgreed(), [])
  })

  describe('a conflict that is held', () => {
    const never = () => false
    const EARLIER = { period: 9, thread: 3 }
    const ALMOST_LATER = { period: 11, thread: 2 }

    function holdConflict(): Agreement {
      const agreement = agreementOf(AHEAD, AHEAD)
      agreement.claim(0, SLOT, A)
      agreement.claim(1, SLOT, B)
      agreement.hold(agreement.firstConflict())
      return agreement
    }

    it('stands when a node of it restarts or is down; nothing is decided alone, before the slot either', () => {
      const agreement = holdConflict()
      for (const node of [0, 1]) agreement.forgetNode(node)
      agreement.setUp(1, false)
      for (const slot of [EARLIER, SLOT, LATER]) agreement.claim(0, slot, A)
      assert.deepEqual(agreement.takeAgreed(), [])
      assert.deepEqual(agreement.firstConflict(), {
        slot: SLOT,
        claims: new Map<number, Claim>([
          [0, A],
          [1, B],
        ]),
      })
      assert.ok(!agreement.isSettled(() => true))
      agreement.claim(1, EARLIER, A)
      assert.deepEqual(agreement.takeAgreed(), [{ slot: EARLIER, id: A }])
    })

    it('is settled when both name the same there', () => {
      const agreement = holdConflict()
      agreement.claim(0, SLOT, B)
      assert.ok(agreement.isSettled(never))
      agreement.hold(undefined)
      assert.equal(agreement.firstConflict(), undefined)
      assert.deepEqual(agreement.takeAgreed(), [{ slot: SLOT, id: B }])
    })

    it('limit: a block 32 slots later that both name settles what both forgot, once it decides the slot; one 31 slots later does not', () => {
      for (const [slot, isSettling] of [
        [ALMOST_LATER, false],
        [LATER, true],
      ] as const) {
        const agreement = holdConflict()
        for (const node of [0, 1]) agreement.forgetNode(node)
        for (const node of [0, 1]) agreement.claim(node, slot, C)
        assert.ok(!agreement.isSettled(never))
        assert.equal(
          agreement.isSettled(() => true),
          isSettling,
        )
        assert.deepEqual(agreement.takeAgreed(), isSettling ? [{ slot, id: C }] : [])
      }
    })

    it('is not settled by later blocks while both still name different ones', () => {
      const agreement = holdConflict()
      for (const node of [0, 1]) agreement.claim(node, LATER, C)
      assert.ok(!agreement.isSettled(() => true))
      assert.deepEqual(agreement.takeAgreed(), [])
    })
  })

  describe('a slot that is waited for', () => {
    const all = () => true

    it('is the lowest open one that somebody names a block of, with the nodes that are up and say nothing', () => {
      const agreement = agreementOf(AHEAD, AHEAD)
      assert.equal(agreement.findAwaited(all), undefined)
      agreement.claim(0, LATER, B)
      agreement.claim(0, SLOT, A)
      agreement.claim(0, { period: 9, thread: 0 }, 'none')
      assert.deepEqual(agreement.findAwaited(all), { slot: SLOT, nodes: [1] })
      assert.deepEqual(
        agreement.findAwaited(({ period }) => period > SLOT.period),
        { slot: LATER, nodes: [1] },
      )
      agreement.claim(1, SLOT, A)
      agreement.claim(1, LATER, B)
      assert.equal(agreement.findAwaited(all), undefined)
    })

    it('is none in a conflict, nor for a node that is down or alone', () => {
      const two = agreementOf(AHEAD, AHEAD)
      two.claim(0, SLOT, A)
      two.setUp(1, false)
      assert.equal(two.findAwaited(all), undefined)
      two.setUp(1, true)
      two.claim(1, SLOT, B)
      assert.equal(two.findAwaited(all), undefined)
      const one = agreementOf(AHEAD)
      one.claim(0, SLOT, A)
      assert.equal(one.findAwaited(all), undefined)
    })
  })

  describe('limit: claims', () => {
    const MAX_SLOTS = 8_192
    const claimed = (agreement: Agreement, index: number, claims: readonly Claim[]): void => {
      for (const [node, claim] of claims.entries()) agreement.claim(node, slotOfIndex(index), claim)
      if (index % 1_000 === 0) agreement.takeAgreed()
    }

    it('of 8192 slots are kept; past that some between the lowest and the newest are forgotten, never the first conflict', () => {
      for (const first of [0, 2_559, 2_560, 5_000]) {
        const agreement = agreementOf(slotOfIndex(200_000), slotOfIndex(200_000))
        for (let index = 0; index < MAX_SLOTS; index++) claimed(agreement, index, index < first ? [A, A] : [A, B])
        assert.equal(agreement.sizeSlots, MAX_SLOTS)
        for (let index = MAX_SLOTS; index < 60_000; index++) {
          claimed(agreement, index, [A, B])
          assert.ok(agreement.sizeSlots <= MAX_SLOTS + 1_000)
        }
        assert.deepEqual(agreement.firstConflict()?.slot, slotOfIndex(first))
        // The newest are there: forgotten ones are decided by what descends from them.
        agreement.forgetNode(1)
        for (let index = 60_000 - 2_000; index < 60_000; index++) agreement.claim(1, slotOfIndex(index), A)
        const agreed = agreement.takeAgreed().map(({ slot }) => slotIndex(slot))
        assert.deepEqual(
          agreed.filter((index) => index >= 60_000 - 2_000),
          Array.from({ length: 2_000 }, (_, i) => 58_000 + i),
        )
      }
    })

    it('of one node are all agreed on, however many come at once', () => {
      const agreement = agreementOf(slotOfIndex(50_000))
      for (let index = 0; index < 30_000; index++) agreement.claim(0, slotOfIndex(index), A)
      assert.equal(agreement.takeAgreed().length, 30_000)
      assert.ok(agreement.sizeSlots <= MAX_SLOTS)
    })
  })

  it('says the same whatever the order in which nodes speak', () => {
    const claims = fc.uniqueArray(
      fc.record({
        node: fc.nat(2),
        index: fc.nat(3),
        claim: fc.constantFrom<Claim>(A, B, 'none'),
      }),
      { maxLength: 12, selector: ({ node, index }) => `${node} ${index}` },
    )
    const setting = claims.chain((list) =>
      fc.tuple(
        fc.constant(list),
        fc.shuffledSubarray(list, { minLength: list.length }),
        fc.integer({ min: 1, max: 3 }),
        fc.array(fc.boolean(), { minLength: 3, maxLength: 3 }),
      ),
    )
    const speak = (
      nodeCount: number,
      up: readonly boolean[],
      list: readonly { node: number; index: number; claim: Claim }[],
    ) => {
      const agreement = new Agreement(nodeCount)
      for (let node = 0; node < nodeCount; node++) {
        agreement.setUp(node, up[node] ?? true)
        agreement.setCursor(node, slotOfIndex(10))
      }
      for (const { node, index, claim } of list) if (node < nodeCount) agreement.claim(node, slotOfIndex(index), claim)
      return { agreed: agreement.takeAgreed(), conflict: agreement.firstConflict()?.slot }
    }
    fc.assert(
      fc.property(setting, ([list, shuffled, nodeCount, up]) => {
        const result = speak(nodeCount, up, list)
        assert.deepEqual(speak(nodeCount, up, shuffled), result)
        const { conflict, agreed } = result
        for (const { slot } of agreed) assert.ok(!conflict || slot.thread < conflict.thread)
      }),
      { numRuns: 500 },
    )
  })
})
