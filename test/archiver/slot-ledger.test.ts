import assert from 'node:assert/strict'
import fc from 'fast-check'
import { type FinalBlock, SlotLedger } from '../../archiver/index.ts'
import { type BlockIdText, type Slot, slotIndex, slotOfIndex, THREAD_COUNT } from '../../core/index.ts'
import {
  drawNumbers,
  genesisIdText,
  nameBlock,
  type SimulatedChain,
  shuffle,
  simulateChain,
} from './simulated-chain.ts'

const never = () => false

function chainOf(periods: number, missed: readonly Slot[] = []): SimulatedChain {
  const indexes = new Set(missed.map(slotIndex))
  return simulateChain({ periods, isMiss: (slot) => indexes.has(slotIndex(slot)), draw: () => 1 })
}

function fill(ledger: SlotLedger, blocks: readonly FinalBlock[]): void {
  for (const block of blocks) assert.equal(ledger.add(block).kind, 'added', block.id)
}

/** Decisions of all slots of the periods, as text. */
function listDecisions(ledger: SlotLedger, periods: number): string[] {
  return Array.from({ length: (periods + 1) * THREAD_COUNT }, (_, index) => {
    const decision = ledger.decide(slotOfIndex(index))
    return decision === undefined ? '?' : decision.kind === 'block' ? decision.id : decision.kind
  })
}

/** The rule in its plain form: a block is its slot's, and a slot is missed when the chain goes on a period later. */
function listExpected(chain: SimulatedChain, periods: number): string[] {
  const newest = Math.max(...chain.bySlot.keys())
  return Array.from({ length: (periods + 1) * THREAD_COUNT }, (_, index) => {
    if (index < THREAD_COUNT) return genesisIdText(0, index)
    return chain.bySlot.get(index)?.id ?? (newest >= index + THREAD_COUNT ? 'miss' : '?')
  })
}

describe('archiver/slot-ledger', () => {
  describe('misses', () => {
    const missed = { period: 3, thread: 7 }
    const chain = chainOf(5, [missed])
    const upTo = (slots: number) => chain.blocks.filter((block) => slotIndex(block.slot) <= slotIndex(missed) + slots)

    it('are proven by a final block of any thread more than 32 slots later that names the last block of the thread', () => {
      const quiet = chainOf(5, [missed, { period: 4, thread: 7 }])
      const ledger = new SlotLedger()
      fill(
        ledger,
        quiet.blocks.filter((block) => slotIndex(block.slot) <= slotIndex(missed) + 32),
      )
      assert.equal(ledger.decide(missed), undefined)
      const proof = quiet.bySlot.get(slotIndex(missed) + 33)
      assert.ok(proof)
      fill(ledger, [proof])
      assert.deepEqual(ledger.decide(missed), { kind: 'miss' })
    })

    it('are proven at exactly 32 slots, by the next block of the same thread', () => {
      const ledger = new SlotLedger()
      fill(ledger, upTo(31))
      assert.equal(ledger.decide(missed), undefined)
      const proof = chain.bySlot.get(slotIndex(missed) + 32)
      assert.ok(proof)
      fill(ledger, [proof])
      assert.deepEqual(ledger.decide(missed), { kind: 'miss' })
    })

    it('are not proven by later blocks when the block that they name is not held: that is a gap', () => {
      const lost = chain.bySlot.get(slotIndex({ period: 2, thread: 7 }))
      assert.ok(lost)
      const ledger = new SlotLedger()
      fill(
        ledger,
        chain.blocks.filter((block) => block !== lost),
      )
      assert.equal(ledger.decide(missed), undefined)
      assert.equal(ledger.decide(lost.slot), undefined)
      assert.deepEqual(ledger.listGaps(), [
        { thread: 7, firstPeriod: 2, lastPeriod: 4, childPeriod: 4, missing: lost.id },
      ])
      fill(ledger, [lost])
      assert.deepEqual(ledger.decide(missed), { kind: 'miss' })
      assert.deepEqual(ledger.decide(lost.slot), { kind: 'block', id: lost.id })
      assert.deepEqual(ledger.listGaps(), [])
    })

    it('of a whole stalled chain are proven by the first block after it', () => {
      const stalled = simulateChain({
        periods: 12,
        isMiss: ({ period }) => period > 2 && period < 11,
        draw: drawNumbers(1),
      })
      const ledger = new SlotLedger()
      const first = stalled.bySlot.get(slotIndex({ period: 11, thread: 0 }))
      fill(
        ledger,
        stalled.blocks.filter((block) => block.slot.period <= 2),
      )
      assert.ok(first)
      const result = ledger.add(first)
      assert.ok(ledger.decidePeriod(9)?.every(({ kind }) => kind === 'miss'))
      assert.equal(ledger.decidePeriod(10), undefined)
      assert.ok(result.kind === 'added' && result.touched.from <= 2 && result.touched.to >= 11)
    })
  })

  describe('the beginning', () => {
    it('holds the genesis blocks as soon as somebody descends from them, and archives period 0', () => {
      const ledger = new SlotLedger()
      const chain = chainOf(2)
      assert.equal(ledger.decidePeriod(0), undefined)
      const [first] = chain.blocks
      assert.ok(first)
      const result = ledger.add(first)
      assert.deepEqual(
        ledger.decidePeriod(0),
        Array.from({ length: THREAD_COUNT }, (_, thread) => ({ kind: 'block', id: genesisIdText(0, thread) })),
      )
      assert.ok(result.kind === 'added' && result.touched.from === 0)
      assert.deepEqual(ledger.decide(first.slot), { kind: 'block', id: first.id })
    })

    it('in the middle of a chain decides nothing before every thread links to a held block', () => {
      const chain = chainOf(9, [{ period: 5, thread: 3 }])
      const ledger = new SlotLedger()
      fill(
        ledger,
        chain.blocks.filter((block) => block.slot.period >= 5),
      )
      assert.equal(ledger.decidePeriod(4), undefined)
      assert.equal(ledger.decidePeriod(5), undefined)
      // Thread 3 shows its first block in period 6, which therefore links to nothing.
      assert.equal(ledger.decidePeriod(6), undefined)
      assert.ok(ledger.decidePeriod(7))
      assert.deepEqual(ledger.listGaps(), [])
      assert.deepEqual(ledger.listMissing(), [])
    })
  })

  describe('gaps', () => {
    const lost = [
      { period: 10, thread: 4 },
      { period: 11, thread: 4 },
    ]
    const isLost = (block: FinalBlock) => lost.some((slot) => slotIndex(slot) === slotIndex(block.slot))

    it('name the thread, the first and last possible period, and the id; filling goes along the parents', () => {
      const chain = chainOf(14)
      const ledger = new SlotLedger()
      fill(
        ledger,
        chain.blocks.filter((block) => !isLost(block)),
      )
      const [first, second] = lost.map(nameBlock)
      assert.deepEqual(ledger.listGaps(), [
        { thread: 4, firstPeriod: 10, lastPeriod: 12, childPeriod: 12, missing: second },
      ])
      assert.deepEqual(
        ledger
          .listMissing()
          .map(({ id }) => id)
          .sort(),
        [first, second].sort(),
      )
      assert.equal(ledger.decidePeriod(12), undefined)
      assert.ok(ledger.decidePeriod(13))
      for (const slot of [...lost].reverse())
        fill(ledger, [...chain.blocks.filter((block) => block.id === nameBlock(slot))])
      assert.deepEqual(ledger.listGaps(), [])
      assert.deepEqual(ledger.listMissing(), [])
      for (const period of [10, 11, 12]) assert.ok(ledger.decidePeriod(period))
    })

    it('are filled late: what the other threads had in these periods is not forgotten meanwhile', () => {
      const chain = simulateChain({ periods: 200, isMiss: never, draw: drawNumbers(2) })
      const ledger = new SlotLedger()
      for (const block of chain.blocks) {
        if (isLost(block)) continue
        fill(ledger, [block])
        if (block.slot.thread === 31) ledger.forgetBefore(block.slot.period - 8)
      }
      assert.equal(ledger.decidePeriod(10), undefined)
      const fillers = chain.blocks.filter(isLost)
      for (const filler of fillers) {
        const result = ledger.add(filler)
        assert.ok(result.kind === 'added' && result.touched.from <= filler.slot.period)
      }
      for (const period of [10, 11, 12]) {
        assert.deepEqual(
          ledger.decidePeriod(period),
          Array.from({ length: THREAD_COUNT }, (_, thread) => ({ kind: 'block', id: nameBlock({ period, thread }) })),
        )
      }
      assert.deepEqual(ledger.listGaps(), [])
      assert.deepEqual(ledger.listMissing(), [])
    })

    it('limit: an open gap keeps its own periods in memory, however many thousands pass', function () {
      this.timeout(60_000)
      const chain = chainOf(3000)
      const ledger = new SlotLedger()
      const held = () => chain.blocks.filter((block) => ledger.has(block.id)).length
      for (const block of chain.blocks) {
        if (isLost(block)) continue
        ledger.add(block)
        if (block.slot.thread === 31) ledger.forgetBefore(block.slot.period - 8)
      }
      // 8 periods at the head, the three of the gap and one beside it, and the last of each thread before these.
      assert.ok(held() <= 16 * THREAD_COUNT, `${held()} blocks are held`)
      assert.equal(ledger.listGaps().length, 1)
      assert.ok(ledger.listMissing().length <= 2)
    })

    it('close for good: once filled, nothing of them is kept', () => {
      const chain = chainOf(60)
      const ledger = new SlotLedger()
      fill(
        ledger,
        chain.blocks.filter((block) => !isLost(block)),
      )
      ledger.forgetBefore(50)
      fill(ledger, chain.blocks.filter(isLost))
      ledger.forgetBefore(50)
      const held = chain.blocks.filter((block) => ledger.has(block.id))
      assert.deepEqual(
        [...new Set(held.map(({ slot }) => slot.period))],
        [49, 50, 51, 52, 53, 54, 55, 56, 57, 58, 59, 60],
      )
    })
  })

  describe('contradictions', () => {
    const chain = chainOf(6, [{ period: 4, thread: 9 }])
    const at = (period: number, thread: number) => chain.bySlot.get(slotIndex({ period, thread }))

    it('refuses a second block of one slot, whichever comes first', () => {
      const block = at(3, 3)
      assert.ok(block)
      const rival = { ...block, id: 'rival' as BlockIdText }
      for (const [first, second] of [
        [block, rival],
        [rival, block],
      ] as const) {
        const ledger = new SlotLedger()
        fill(
          ledger,
          chain.blocks.filter(({ slot }) => slotIndex(slot) < slotIndex(block.slot)),
        )
        assert.equal(ledger.add(first).kind, 'added')
        assert.deepEqual(ledger.add(second), { kind: 'broken', thread: 3, other: first.id })
      }
    })

    it('refuses a block at a slot that later blocks have passed over', () => {
      const ledger = new SlotLedger()
      fill(ledger, chain.blocks)
      const parents = at(4, 8)?.parents ?? []
      const late = { id: 'late' as BlockIdText, slot: { period: 4, thread: 9 }, parents }
      assert.deepEqual(ledger.add(late), { kind: 'broken', thread: 9, other: nameBlock({ period: 3, thread: 9 }) })
      assert.deepEqual(ledger.decide(late.slot), { kind: 'miss' })
    })

    it('refuses a block that passes over a final block a whole period old, or names a parent of another thread', () => {
      const ledger = new SlotLedger()
      fill(
        ledger,
        chain.blocks.filter(({ slot }) => slot.period < 6),
      )
      const block = at(6, 20)
      assert.ok(block)
      const skipping = block.parents.with(2, nameBlock({ period: 3, thread: 2 }))
      assert.deepEqual(ledger.add({ ...block, parents: skipping }), {
        kind: 'broken',
        thread: 2,
        other: nameBlock({ period: 4, thread: 2 }),
      })
      const crossed = block.parents.with(2, nameBlock({ period: 5, thread: 1 }))
      assert.equal(ledger.add({ ...block, parents: crossed }).kind, 'broken')
      assert.equal(ledger.add(block).kind, 'added')
      assert.equal(ledger.add(block).kind, 'known')
    })
  })

  describe('restarts of the chain', () => {
    const lastKeptSlot = { period: 4, thread: 11 }
    const restartPeriod = 9
    const kept = chainOf(4).blocks.filter((block) => slotIndex(block.slot) <= slotIndex(lastKeptSlot))
    const genesis = Array.from({ length: THREAD_COUNT }, (_, thread) => genesisIdText(restartPeriod, thread))
    const reborn = Array.from({ length: 2 * THREAD_COUNT }, (_, i): FinalBlock => {
      const slot = slotOfIndex((restartPeriod + 1) * THREAD_COUNT + i)
      const parents = genesis.map((id, thread) => {
        const newest = slotOfIndex(
          slotIndex(slot) - ((slot.thread - thread + THREAD_COUNT) % THREAD_COUNT || THREAD_COUNT),
        )
        return newest.period > restartPeriod ? nameBlock(newest) : id
      })
      return { id: nameBlock(slot), slot, parents }
    })

    it('stop the archive when they are not known', () => {
      const ledger = new SlotLedger()
      fill(ledger, kept)
      assert.deepEqual(ledger.add(reborn[5] as FinalBlock), { kind: 'restarted', restartPeriod })
    })

    it('make the slots between void when they are known, and hold the new genesis blocks', () => {
      const ledger = new SlotLedger([{ lastKeptSlot, restartPeriod }])
      fill(ledger, [...kept, ...reborn])
      assert.deepEqual(ledger.decide(lastKeptSlot), { kind: 'block', id: nameBlock(lastKeptSlot) })
      const kinds = ledger.decidePeriod(4)?.map(({ kind }) => kind)
      assert.deepEqual(
        kinds,
        Array.from({ length: 32 }, (_, thread) => (thread <= 11 ? 'block' : 'void')),
      )
      for (const period of [5, 6, 7, 8]) assert.ok(ledger.decidePeriod(period)?.every(({ kind }) => kind === 'void'))
      assert.deepEqual(
        ledger.decidePeriod(restartPeriod),
        genesis.map((id) => ({ kind: 'block', id })),
      )
      assert.ok(ledger.decidePeriod(restartPeriod + 1))
      assert.deepEqual(ledger.listGaps(), [])
    })
  })

  describe('order', () => {
    const chains = fc.record({
      seed: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
      periods: fc.integer({ min: 2, max: 14 }),
      missRate: fc.constantFrom(0, 0.1, 0.4, 0.8),
      /** A stall of the whole chain. */
      stall: fc.tuple(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 0, max: 6 })),
    })
    const build = ({
      seed,
      periods,
      missRate,
      stall,
    }: {
      seed: number
      periods: number
      missRate: number
      stall: [number, number]
    }) => {
      const draw = drawNumbers(seed)
      const isMiss = ({ period }: Slot) => (period >= stall[0] && period < stall[0] + stall[1]) || draw() < missRate
      return { draw, chain: simulateChain({ periods, isMiss, draw }) }
    }

    it('of the same blocks does not matter: the decisions are the plain rule', function () {
      this.timeout(60_000)
      fc.assert(
        fc.property(chains, (parameters) => {
          const { chain, draw } = build(parameters)
          if (chain.blocks.length === 0) return
          const ledger = new SlotLedger()
          fill(ledger, shuffle(chain.blocks, draw))
          assert.deepEqual(listDecisions(ledger, parameters.periods), listExpected(chain, parameters.periods))
          assert.deepEqual(ledger.listGaps(), [])
          assert.deepEqual(ledger.listMissing(), [])
        }),
        { numRuns: 200 },
      )
    })

    it('never takes a decision back, and names every period that an added block may have decided', function () {
      this.timeout(60_000)
      fc.assert(
        fc.property(chains, (parameters) => {
          const { chain, draw } = build(parameters)
          const { periods } = parameters
          const ledger = new SlotLedger()
          let before = listDecisions(ledger, periods)
          let decided = new Set<number>()
          for (const block of shuffle(chain.blocks, draw)) {
            const result = ledger.add(block)
            assert.ok(result.kind === 'added')
            const after = listDecisions(ledger, periods)
            for (const [index, decision] of before.entries()) {
              if (decision !== '?') assert.equal(after[index], decision, `slot index ${index}`)
            }
            before = after
            const now = new Set<number>()
            for (let period = 0; period <= periods; period++) if (ledger.decidePeriod(period)) now.add(period)
            for (const period of now) {
              if (decided.has(period)) continue
              const { from, to } = result.touched
              assert.ok(
                from <= period && period <= to,
                `${period} was decided, ${from} to ${to} touched by ${block.id}`,
              )
            }
            decided = now
          }
        }),
        { numRuns: 60 },
      )
    })
  })

  it('says from which slot on the head is open', () => {
    const ledger = new SlotLedger()
    assert.equal(ledger.firstOpenSlot(), undefined)
    const chain = chainOf(5, [{ period: 3, thread: 7 }])
    fill(
      ledger,
      chain.blocks.filter(({ slot }) => slot.period <= 3 && slotIndex(slot) < slotIndex({ period: 3, thread: 20 })),
    )
    assert.deepEqual(ledger.firstOpenSlot(), { period: 3, thread: 7 })
    fill(
      ledger,
      chain.blocks.filter(({ slot }) => slotIndex(slot) >= slotIndex({ period: 3, thread: 20 })),
    )
    assert.deepEqual(ledger.firstOpenSlot(), { period: 6, thread: 0 })
  })
})
