import assert from 'node:assert/strict'
import { type OperationBody, slotIndex, slotOfIndex, THREAD_COUNT } from '../../../../core/index.ts'
import type { DevnetChain, SlotOutput } from '../../../../devnet/node/index.ts'
import { ALICE, BOB, MAS, makeSender, OPTIONS, openChain, pass, reach, send, sign, transfer } from './made-chain.ts'

const PERIOD = THREAD_COUNT
const FEE = MAS / 100n
/** Coins of a block without fees, cut into 51 parts. */
const REWARD = 400_010_000n
const PART = REWARD / 51n
/** Blocks that cost nothing to make, final when 40 more were made. */
const FAST = { endorsements: 0, deltaF0: 40 }

function statusOf(chain: DevnetChain, id: string) {
  const found = chain.findExecution(id)
  return found && [found.success, found.isFinal]
}

describe('devnet/node/chain: operations', () => {
  it('an operation waits for a slot of its thread, is executed 4 slots behind the clock, and final later', async () => {
    const chain = openChain(FAST)
    const id = send(chain, ALICE, transfer(5n * MAS))
    const due = slotIndex({ period: 1, thread: ALICE.thread })
    await reach(chain, due - 1)
    assert.equal(chain.poolSize, 1)
    assert.deepEqual(chain.operations.get(id)?.inBlocks, [])
    await reach(chain, due)
    assert.deepEqual(chain.findCliqueBlock(due)?.operationIds, [id])
    assert.equal(chain.findExecution(id), undefined)
    await pass(chain, 4)
    assert.deepEqual(statusOf(chain, id), [true, false])
    assert.equal(chain.poolSize, 0)
    assert.equal(chain.engine.ledger.balance(BOB.address), 100_005n * MAS)
    assert.equal(chain.finalLedger.balance(BOB.address), 100_000n * MAS)
    await reach(chain, due + 41)
    assert.deepEqual(statusOf(chain, id), [true, true])
    assert.equal(chain.finalLedger.balance(BOB.address), 100_005n * MAS)
    assert.equal(chain.finalLedger.balance(ALICE.address), 99_995n * MAS - FEE)
    assert.equal(chain.executedOperationCount, 1)
  })

  it('the first one of a slot that is missed waits for the next of the thread', async () => {
    const chain = openChain(FAST)
    chain.missNext(ALICE.thread)
    const id = send(chain, ALICE, transfer(1n))
    await pass(chain, 2 * PERIOD)
    assert.equal(chain.operations.get(id)?.inclusion?.slotIndex, slotIndex({ period: 2, thread: ALICE.thread }))
  })

  it('takes the highest fees first, of equal ones what came first, and no more than a block holds', async () => {
    const chain = openChain(FAST)
    const fees = [1n, 3n, 2n, 3n].map((fee) => fee * FEE)
    const ids = fees.map((feeNanoMas, i) => send(chain, ALICE, transfer(BigInt(i)), { feeNanoMas }))
    const execute = { kind: 'execute-sc', maxGas: 0n, maxCoinsNanoMas: 0n, datastore: [] } as const
    const big = [1, 2].map((first) =>
      send(chain, ALICE, { ...execute, bytecode: new Uint8Array(160_000).fill(first) }, { feeNanoMas: 5n * FEE }),
    )
    const call = { kind: 'call-sc', coinsNanoMas: 0n, functionName: '', parameter: new Uint8Array() } as const
    const greedy = send(chain, ALICE, { ...call, maxGas: 4_294_000_000n, target: contractOf(ALICE.key.address) })
    await pass(chain, PERIOD)
    const inFirst = chain.findCliqueBlock(slotIndex({ period: 1, thread: ALICE.thread }))
    assert.deepEqual(inFirst?.operationIds, [big[0], ids[1], ids[3], ids[2], ids[0]])
    await pass(chain, PERIOD)
    assert.deepEqual(chain.findCliqueBlock(slotIndex({ period: 2, thread: ALICE.thread }))?.operationIds, [big[1]])
    await pass(chain, PERIOD)
    assert.deepEqual(chain.findCliqueBlock(slotIndex({ period: 3, thread: ALICE.thread }))?.operationIds, [greedy])
  })

  it('limit: 300,000 bytes of operations fit in a block, one more does not', async () => {
    for (const [extra, expected] of [
      [0, 2],
      [1, 1],
    ] as const) {
      const chain = openChain(FAST)
      const execute = { kind: 'execute-sc', maxGas: 0n, maxCoinsNanoMas: 0n, datastore: [] } as const
      const first = sign(chain, ALICE, { ...execute, bytecode: new Uint8Array(150_000) })
      const second = {
        ...execute,
        bytecode: new Uint8Array(150_000 - 2 * (first.content.length - 150_000 + 98) + extra),
      }
      chain.accept(chain.check(first))
      send(chain, ALICE, second)
      await pass(chain, PERIOD)
      const block = chain.findCliqueBlock(slotIndex({ period: 1, thread: ALICE.thread }))
      assert.equal(block?.operations.length, expected)
      if (extra === 0)
        assert.equal(
          block?.operations.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
          300_000,
        )
    }
  })

  it('is executed once, however often it is sent, and known until ten periods after it expired', async () => {
    const chain = openChain({ ...FAST, forceKeepFinalPeriods: 0 })
    const sent = chain.check(sign(chain, ALICE, transfer(MAS), { expirePeriod: 3 }))
    const id = chain.accept(sent)
    for (let i = 0; i < 12 * PERIOD; i++) {
      await pass(chain, 1)
      assert.equal(chain.accept(sent), id)
    }
    assert.equal(chain.engine.ledger.balance(BOB.address), 100_001n * MAS)
    assert.equal(chain.operations.has(id), false)
    assert.deepEqual(statusOf(chain, id), [true, true])
    await reach(chain, 16 * PERIOD)
    assert.equal(chain.findExecution(id), undefined)
  })

  it('limit: its outcome is known until the final period is ten after its last one, and not in the next', async () => {
    const chain = openChain(FAST)
    const id = send(chain, ALICE, transfer(MAS), { expirePeriod: 3 })
    const seen = new Set<string>()
    chain.onSlotFinal(({ slot }) => {
      if (slot.period > 2) seen.add(`${slot.period} ${chain.findExecution(id) !== undefined}`)
    })
    await reach(chain, 16 * PERIOD)
    assert.deepEqual(
      [...seen].slice(0, 12),
      [3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14].map((n) => `${n} ${n < 14}`),
    )
  })

  it('limit: is included from ten periods before its expiry on, and up to it', async () => {
    const chain = openChain(FAST)
    const soon = send(chain, ALICE, transfer(1n), { expirePeriod: 11 })
    const late = send(chain, ALICE, transfer(2n), { expirePeriod: 12 })
    const last = send(chain, ALICE, transfer(3n), { expirePeriod: 1 })
    await pass(chain, 3 * PERIOD)
    const periodOf = (id: string) => slotOfIndex(chain.operations.get(id)?.inclusion?.slotIndex ?? 0).period
    assert.deepEqual([soon, late, last].map(periodOf), [1, 2, 1])
    chain.missNext(ALICE.thread, 20)
    const never = send(chain, ALICE, transfer(4n), { expirePeriod: 5 })
    await reach(chain, 6 * PERIOD - 1)
    assert.equal(chain.operations.has(never), true)
    await reach(chain, 6 * PERIOD)
    assert.equal(chain.operations.has(never), false)
  })

  it('what may spend more than its sender has leaves the pool without a block, and is known for a minute', async () => {
    const chain = openChain(FAST)
    const due = slotIndex({ period: 1, thread: ALICE.thread })
    const target = contractOf(ALICE.key.address)
    const call = { kind: 'call-sc', maxGas: 0n, functionName: '', parameter: new Uint8Array() } as const
    const tooMuch: OperationBody[] = [
      transfer(100_000n * MAS),
      { kind: 'roll-buy', rollCount: 1000n },
      { kind: 'execute-sc', bytecode: new Uint8Array(1), maxGas: 0n, maxCoinsNanoMas: 100_000n * MAS, datastore: [] },
      { ...call, target, coinsNanoMas: 100_000n * MAS },
    ]
    const ids = tooMuch.map((body) => send(chain, ALICE, body))
    const exact = send(chain, ALICE, transfer(100_000n * MAS - FEE))
    await reach(chain, due - 1)
    assert.equal(chain.poolSize, 5)
    await reach(chain, due)
    assert.deepEqual(chain.findCliqueBlock(due)?.operationIds, [exact])
    assert.deepEqual(
      ids.map((id) => chain.operations.get(id)).map((known) => [known?.isPooled, known?.inBlocks.length]),
      ids.map(() => [false, 0]),
    )
    await reach(chain, 5 * PERIOD - 1)
    assert(ids.every((id) => chain.operations.has(id)))
    await reach(chain, 5 * PERIOD)
    assert(!ids.some((id) => chain.operations.has(id)))
    assert.equal(chain.engine.ledger.balance(ALICE.address), 0n)
  })

  it('all that a sender may spend is counted, highest fees first: what is too much for the rest is dropped', async () => {
    const chain = openChain(FAST)
    const due = slotIndex({ period: 1, thread: ALICE.thread })
    const transferAt = (share: bigint, fees: bigint) =>
      send(chain, ALICE, transfer((share * 1000n - fees) * MAS), { feeNanoMas: fees * MAS })
    const [late, first, second] = [transferAt(61n, 1n), transferAt(60n, 3n), transferAt(40n, 2n)]
    await reach(chain, due)
    assert.deepEqual(chain.findCliqueBlock(due)?.operationIds, [first, second])
    assert.equal(chain.operations.get(late)?.isPooled, false)
    await pass(chain, 3 * PERIOD)
    assert.equal(statusOf(chain, late), undefined)
    assert.equal(chain.engine.ledger.balance(ALICE.address), 0n)
  })

  it('fees alone count, too: of two whose sender can pay one fee, one is included', async () => {
    const poor = makeSender('poor')
    const chain = openChain({ ...FAST, accounts: [[poor.address, 2n * FEE - 1n], ...OPTIONS.accounts] })
    const ids = [1, 2].map((n) => send(chain, poor, { kind: 'roll-sell', rollCount: BigInt(n) }))
    await pass(chain, 2 * PERIOD)
    assert.deepEqual(
      ids.map((id) => chain.operations.get(id)?.inBlocks.length),
      [1, 0],
    )
  })

  it('what is in a block that was not executed is spent already', async () => {
    const poor = makeSender('poor')
    const accounts = [[poor.address, 2n * FEE] as const, ...OPTIONS.accounts]
    const chain = openChain({ ...FAST, accounts, executionLagSlots: 40 })
    // Both are affordable alone; the producer knows the state of 40 slots ago.
    const first = send(chain, poor, transfer(0n, ALICE))
    await reach(chain, slotIndex({ period: 1, thread: poor.thread }))
    const second = send(chain, poor, transfer(1n, ALICE))
    await pass(chain, PERIOD)
    assert.equal(chain.operations.get(second)?.isPooled, false)
    assert.equal(chain.operations.get(second)?.inBlocks.length, 0)
    await pass(chain, 2 * PERIOD)
    assert.equal(statusOf(chain, first)?.[0], true)
    assert.equal(statusOf(chain, second), undefined)
  })

  it('limit: waits until it is valid for five periods, and leaves the pool if that is longer', async () => {
    const chain = openChain(FAST)
    const soon = send(chain, ALICE, transfer(1n), { expirePeriod: 16 })
    const late = send(chain, ALICE, transfer(2n), { expirePeriod: 17 })
    await reach(chain, 2 * PERIOD)
    assert.deepEqual(
      [soon, late].map((id) => chain.operations.get(id)?.isPooled),
      [true, false],
    )
    await reach(chain, 8 * PERIOD)
    assert.equal(slotOfIndex(chain.operations.get(soon)?.inclusion?.slotIndex ?? 0).period, 6)
    assert.equal(statusOf(chain, late), undefined)
  })

  describe('a pool with a limit', () => {
    const LIMITED = { ...FAST, maxPoolSize: 4, maxPoolExcess: 2 }
    const sendWithFee = (chain: DevnetChain, amount: bigint, fee: bigint) =>
      send(chain, ALICE, transfer(amount), { feeNanoMas: FEE + fee, expirePeriod: 9 })
    const isPooled = (chain: DevnetChain, ids: readonly string[]) =>
      ids.map((id) => chain.operations.get(id)?.isPooled ?? false)

    it("limit: holds 50,000 operations and until the next slot 10,000 more: a tenth of a node's", () => {
      const { maxPoolSize, maxPoolExcess } = openChain().options
      assert.deepEqual([maxPoolSize, maxPoolExcess], [50_000, 10_000])
    })

    it('limit: the excess goes with the next slot, lowest fees first, of equal ones the newest', async () => {
      const chain = openChain(LIMITED)
      const ids = [1n, 0n, 2n, 1n, 3n, 1n].map((fee, i) => sendWithFee(chain, BigInt(i), fee))
      assert.equal(chain.poolSize, 6)
      await pass(chain, 1)
      assert.deepEqual(isPooled(chain, ids), [true, false, true, true, true, false])
      assert.equal(chain.operations.has(ids[5] ?? ''), false)
    })

    it('limit: of one more than the excess there is nothing but its id', async () => {
      const chain = openChain(LIMITED)
      const ids = Array.from({ length: 7 }, (_, i) => sendWithFee(chain, BigInt(i), BigInt(i)))
      assert.equal(chain.poolSize, 6)
      assert.deepEqual(isPooled(chain, ids), [true, true, true, true, true, true, false])
      assert.equal(chain.operations.has(ids[6] ?? ''), false)
      await pass(chain, 1)
      assert.deepEqual(isPooled(chain, ids), [false, false, true, true, true, true, false])
      assert.equal(chain.operations.size, 4)
      assert.equal(sendWithFee(chain, 6n, 6n), ids[6])
      assert.equal(chain.operations.get(ids[6] ?? '')?.isPooled, true)
    })

    it('what is in a block that was not executed yet stays', async () => {
      const chain = openChain(LIMITED)
      const first = sendWithFee(chain, 0n, 0n)
      while (chain.operations.get(first)?.inBlocks.length === 0) await pass(chain, 1)
      const ids = Array.from({ length: 5 }, (_, i) => sendWithFee(chain, BigInt(1 + i), 1n))
      await pass(chain, 1)
      assert.deepEqual(isPooled(chain, [first, ...ids]), [true, true, true, true, false, false])
    })
  })

  it('one that left the pool is taken when it is sent again', async () => {
    const poor = makeSender('poor')
    const chain = openChain({ ...FAST, accounts: OPTIONS.accounts })
    const body = transfer(1n, ALICE)
    const id = send(chain, poor, body, { expirePeriod: 9 })
    await pass(chain, PERIOD)
    assert.equal(chain.operations.get(id)?.isPooled, false)
    send(chain, ALICE, transfer(MAS, poor))
    await pass(chain, PERIOD + 8)
    assert.equal(send(chain, poor, body, { expirePeriod: 9 }), id)
    assert.equal(chain.operations.get(id)?.isPooled, true)
    await pass(chain, 2 * PERIOD)
    assert.equal(statusOf(chain, id)?.[0], true)
    assert.deepEqual(chain.operations.get(id)?.inBlocks.length, 1)
  })
})

/** The usual stakers, who have nothing but rolls. */
const POOR_STAKERS = openChain().stakers.map(({ key, rolls }) => ({ key, rolls }))

describe('devnet/node/chain: coins and rolls', () => {
  it('the reward goes to producer, endorsers and the maker of the endorsed block; fees with it', async () => {
    const chain = openChain({ deltaF0: 50, stakers: POOR_STAKERS })
    const outputs: SlotOutput[] = []
    chain.onSlotExecuted((output) => outputs.push(output))
    send(chain, ALICE, transfer(1n))
    await pass(chain, 3 * PERIOD)
    const price = 1_000_000n
    const balances = new Map<string, bigint>()
    const credit = (address: string, amount: bigint) => {
      const before = balances.get(address)
      balances.set(address, before === undefined ? amount - price : before + amount)
    }
    for (const { block, slotIndex: index, executedOperations, ledgerChanges } of outputs) {
      assert(block)
      const fees = executedOperations.length === 0 ? 0n : FEE
      const part = (REWARD + fees) / 51n
      const endorsed = index < 2 * PERIOD ? 'genesis' : chain.producerOf(index - PERIOD)
      for (const endorser of chain.drawOf(index).endorsers) {
        credit(endorser, part)
        credit(endorsed, part)
      }
      credit(block.creator, part * 19n + ((REWARD + fees) % 51n))
      for (const [address, { balanceNanoMas }] of ledgerChanges) {
        if (balances.has(address)) assert.equal(balanceNanoMas, balances.get(address))
      }
      const fee = fees === 0n ? undefined : ledgerChanges.get(ALICE.address)?.balanceNanoMas
      if (fee !== undefined) assert.equal(fee, 100_000n * MAS - FEE - 1n)
    }
    assert.equal(PART, 7_843_333n)
    assert(balances.size > 10)
  })

  it('without endorsements three parts of 51 and the rest go to the producer, and half of a slashed roll counts as fees', async () => {
    const chain = openChain({ ...FAST, stakers: POOR_STAKERS })
    chain.forkNext(1)
    const rewards: bigint[] = []
    const balances = new Map<string, bigint>()
    chain.onSlotExecuted(({ block, ledgerChanges, executedDenunciations }) => {
      assert(block)
      const before = balances.get(block.creator)
      for (const [address, { balanceNanoMas = 0n }] of ledgerChanges) balances.set(address, balanceNanoMas)
      const credits = REWARD + (executedDenunciations.length === 0 ? 0n : 50n * MAS)
      const expected = (credits / 51n) * 3n + (credits % 51n)
      // The price of a new address is taken from what it gets first.
      assert.equal((balances.get(block.creator) ?? 0n) - (before ?? -1_000_000n), expected)
      rewards.push(credits)
    })
    await pass(chain, 2 * PERIOD)
    assert.equal(rewards.filter((credits) => credits > REWARD).length, 1)
    assert.deepEqual(
      chain
        .listStakers()
        .map(({ rolls }) => rolls)
        .sort(),
      [...Array(15).fill(100n), 99n].sort(),
    )
  })

  it('rolls are bought at 100 MAS and sold for coins at the end of the third cycle after', async function () {
    this.timeout(60_000)
    const chain = openChain({ ...FAST, skipsEmptyBlocks: true, deltaF0: 2 })
    const credits: SlotOutput['deferredCreditChanges'][] = []
    chain.onSlotFinal(({ deferredCreditChanges }) => {
      if (deferredCreditChanges.length > 0) credits.push(deferredCreditChanges)
    })
    send(chain, ALICE, { kind: 'roll-buy', rollCount: 3n })
    await pass(chain, PERIOD + 4)
    assert.deepEqual(chain.rollsOf(ALICE.address), { candidate: 3n, final: 0n })
    assert.equal(chain.engine.ledger.balance(ALICE.address), 99_700n * MAS - FEE)
    send(chain, ALICE, { kind: 'roll-sell', rollCount: 2n })
    await pass(chain, 6 * PERIOD)
    assert.deepEqual(chain.rollsOf(ALICE.address), { candidate: 1n, final: 1n })
    assert.equal(chain.listStakers().find(({ address }) => address === ALICE.address)?.rolls, 1n)
    const slot = { period: 4 * 128 - 1, thread: 31 }
    assert.deepEqual(chain.deferredCreditsOf(ALICE.address), [
      { slot, address: ALICE.address, amountNanoMas: 200n * MAS },
    ])
    const before = chain.engine.ledger.balance(ALICE.address)
    await reach(chain, slotIndex(slot) + 3)
    assert.equal(chain.engine.ledger.balance(ALICE.address), before)
    await reach(chain, slotIndex(slot) + 4)
    assert.equal(chain.engine.ledger.balance(ALICE.address), before + 200n * MAS)
    await pass(chain, 6 * PERIOD)
    assert.equal(chain.finalLedger.balance(ALICE.address), before + 200n * MAS)
    assert.deepEqual(chain.deferredCreditsOf(ALICE.address), [])
    const change = { slot, address: ALICE.address }
    assert.deepEqual(credits, [[{ ...change, amountNanoMas: 200n * MAS }], [{ ...change, amountNanoMas: 0n }]])
  })

  it('error: who sells too many is told so in an event, in the words of a node; who buys too many is in no block', async () => {
    const chain = openChain(FAST)
    const bought = [1000n, (1n << 64n) - 1n].map((rollCount) => send(chain, ALICE, { kind: 'roll-buy', rollCount }))
    send(chain, BOB, { kind: 'roll-sell', rollCount: 1n })
    await pass(chain, PERIOD + 4)
    const sold = `\`RollSell\` error: ${BOB.address} failed to sell 1 rolls: \`RollSell\` error: ${BOB.address} tried to sell 1 rolls but only has 0`
    assert.equal(chain.events.length, 1)
    assert(chain.events.every(({ event }) => event.isError && event.data.includes(sold)))
    assert(bought.every((id) => chain.operations.get(id)?.inBlocks.length === 0))
    assert.equal(chain.engine.ledger.balance(ALICE.address), 100_000n * MAS)
  })

  it('says who made his blocks and who missed them', async () => {
    const chain = openChain({ ...FAST, missRate: 0.3 })
    await pass(chain, 6 * PERIOD)
    const counts = chain.stakers.flatMap((_, i) => {
      const { address } = chain.listStakers()[i] ?? { address: '' }
      return chain.cyclesOf(address)
    })
    const finals = slotIndex(chain.finalSlot) - PERIOD + 1
    assert.equal(
      counts.reduce((sum, { okCount, nokCount }) => sum + okCount + nokCount, 0),
      finals,
    )
    assert(counts.some(({ nokCount }) => nokCount > 0))
    assert(counts.every(({ cycle, isFinal, activeRolls }) => cycle === 0 && !isFinal && activeRolls === 100n))
  })
})

function contractOf(address: Uint8Array): Uint8Array {
  const contract = Uint8Array.from(address)
  contract[0] = 1
  return contract
}
