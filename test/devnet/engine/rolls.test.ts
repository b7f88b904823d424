import assert from 'node:assert/strict'
import { ContractEngine } from '../../../devnet/engine/index.ts'
import { Rolls } from '../../../devnet/engine/rolls.ts'
import { ALICE, ALICE_MAS, BOB, FEE, MAS, makeEngine, NOBODY } from './engine-fixture.ts'

const trade = (engine: ContractEngine, kind: 'roll-buy' | 'roll-sell', rollCount: bigint, sender = ALICE) =>
  engine.executeOperation({ sender, feeNanoMas: FEE, body: { kind, rollCount } })

describe('devnet/engine/rolls', () => {
  it('a buyer pays 100 MAS each, a seller is owed them at the end of the third cycle after, summed up', () => {
    const engine = makeEngine()
    assert.equal(trade(engine, 'roll-buy', 5n).success, true)
    assert.equal(engine.ledger.balance(ALICE), (ALICE_MAS - 500n) * MAS - FEE)
    trade(engine, 'roll-sell', 2n)
    trade(engine, 'roll-sell', 1n)
    engine.setSlot({ period: 128, thread: 0 })
    trade(engine, 'roll-sell', 2n)
    assert.equal(engine.rolls.count(ALICE), 0n)
    const ends = [4, 5].map((cycle) => ({ period: cycle * 128 - 1, thread: 31 }))
    assert.deepEqual(engine.rolls.save().credits, [
      { slot: ends[0], address: ALICE, amountNanoMas: 300n * MAS },
      { slot: ends[1], address: ALICE, amountNanoMas: 200n * MAS },
    ])
    const before = engine.ledger.balance(ALICE)
    engine.setSlot({ period: 511, thread: 30 })
    engine.payDeferredCredits()
    assert.equal(engine.ledger.balance(ALICE), before)
    engine.setSlot({ period: 511, thread: 31 })
    engine.payDeferredCredits()
    engine.payDeferredCredits()
    assert.equal(engine.ledger.balance(ALICE), before + 300n * MAS)
    assert.deepEqual(
      engine.rolls.save().credits.map(({ slot }) => slot),
      [ends[1]],
    )
  })

  it('limit: all rolls can be sold, one more cannot', () => {
    const engine = makeEngine({ rolls: { counts: new Map([[BOB, 3n]]), credits: [] } })
    const refused = trade(engine, 'roll-sell', 4n, BOB)
    assert.equal(refused.success, false)
    assert.match(refused.error ?? '', /tried to sell 4 rolls but only has 3$/)
    assert.equal(refused.events.at(-1)?.isError, true)
    assert.equal(engine.rolls.count(BOB), 3n)
    assert.equal(trade(engine, 'roll-sell', 3n, BOB).success, true)
    assert.deepEqual([...engine.rolls.save().counts], [])
  })

  it('error: who buys too many is told so, in the words of a node', () => {
    const engine = makeEngine()
    for (const [rollCount, words] of [
      [1_000_000n, 'failed to buy 1000000 rolls: Runtime error: failed to transfer 100000000 coins'],
      [(1n << 64n) - 1n, 'failed to buy 18446744073709551615 rolls: overflow on the required coin amount'],
    ] as const) {
      const { success, events } = trade(engine, 'roll-buy', rollCount)
      assert.equal(success, false)
      assert(events.some(({ data, isError }) => isError && data.includes(`\`RollBuy\` error: ${ALICE} ${words}`)))
    }
  })

  it('a snapshot brings them back', () => {
    const engine = makeEngine()
    trade(engine, 'roll-buy', 1n)
    const snapshot = engine.snapshot()
    trade(engine, 'roll-buy', 1n)
    trade(engine, 'roll-sell', 2n)
    engine.restore(snapshot)
    assert.equal(engine.rolls.count(ALICE), 1n)
    assert.deepEqual(engine.rolls.save().credits, [])
  })

  it('slashing takes what is there', () => {
    const rolls = new Rolls({ counts: new Map([[ALICE, 2n]]), credits: [] })
    assert.equal(rolls.slash(ALICE, 1n), 1n)
    assert.equal(rolls.slash(ALICE, 5n), 1n)
    assert.equal(rolls.slash(ALICE, 1n), 0n)
    assert.equal(rolls.count(ALICE), 0n)
  })

  it('new coins make an address exist when they are enough for its price, and are lost when not', () => {
    const engine = makeEngine()
    assert.equal(engine.credit(NOBODY, 999_999n), false)
    assert.equal(engine.ledger.has(NOBODY), false)
    assert.equal(engine.credit(NOBODY, 1_000_001n), true)
    assert.equal(engine.ledger.balance(NOBODY), 1n)
    assert.equal(engine.credit(NOBODY, 5n), true)
    assert.equal(engine.ledger.balance(NOBODY), 6n)
  })

  it('goes on with the rolls and deferred calls of another engine', () => {
    const engine = makeEngine()
    trade(engine, 'roll-buy', 7n)
    const next = new ContractEngine({ rolls: engine.rolls.save(), deferredCalls: engine.listDeferredCalls() })
    assert.equal(next.rolls.count(ALICE), 7n)
    trade(engine, 'roll-sell', 7n)
    assert.equal(next.rolls.count(ALICE), 7n)
  })
})
