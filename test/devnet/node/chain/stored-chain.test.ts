import assert from 'node:assert/strict'
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Args } from '@massalabs/massa-web3'
import { isArchiveError, parseAddress, slotIndex, THREAD_COUNT } from '../../../../core/index.ts'
import {
  type DevnetChain,
  type DevnetChainOptions,
  openStoredChain,
  readStoredGenesis,
} from '../../../../devnet/node/index.ts'
import { makeDeployment, PROBE } from '../../engine/engine-fixture.ts'
import { MESSENGER, TAKES_I64 } from '../../engine/wasm-builder.ts'
import { ALICE, BOB, indexOf, MAS, OPTIONS, pass, reach, send, transfer } from './made-chain.ts'

const PERIOD = THREAD_COUNT
const QUICK: DevnetChainOptions = { ...OPTIONS, endorsements: 1, deltaF0: 80, missRate: 0.1, orphanRate: 0.1 }

/** Everything that a chain answers, for comparison. */
function describeChain(chain: DevnetChain): unknown {
  const all = [0, Number.POSITIVE_INFINITY] as const
  const ledgers = [chain.engine.ledger, chain.finalLedger].map((ledger) =>
    [...ledger.addresses()].sort().map((address) => ({
      address,
      balance: ledger.balance(address),
      bytecode: Buffer.from(ledger.bytecode(address) ?? []).toString('hex'),
      entries: ledger.keys(address).map((key) => [key, ledger.value(address, key)].map(hex)),
    })),
  )
  return {
    slots: [chain.lastSlot, chain.executedSlot, chain.finalSlot, chain.nowMs],
    blocks: chain
      .listBlocks(...all)
      .map((block) => [block.id, chain.blockStatus(block), block.isRival, hex(block.encodeFilled())]),
    graph: chain
      .listGraph(...all)
      .map(({ id, isFinal, isRival, parents, creator }) => [id, isFinal, isRival, parents, creator]),
    parents: [chain.bestParents, chain.latestFinalBlocks].map((nodes) => nodes.map(({ id }) => id)),
    operations: [...chain.operations.values()]
      .map(({ id, inBlocks, isPooled, inclusion }) => ({
        id,
        inBlocks,
        isPooled,
        inclusion,
        outcome: chain.findExecution(id),
      }))
      .sort((a, b) => (a.id < b.id ? -1 : 1)),
    poolSize: chain.poolSize,
    executed: chain.executedOperationCount,
    // A node destroys those of final slots at every start.
    events: chain.events
      .filter(({ event }) => !chain.isFinal(slotIndex(event.slot)))
      .map(({ event, block }) => ({ ...event, block })),
    ledgers,
    rolls: [ALICE, BOB].map(({ address }) => [
      chain.rollsOf(address),
      chain.deferredCreditsOf(address),
      chain.cyclesOf(address),
    ]),
    stakers: chain.listStakers().map(({ address }) => chain.cyclesOf(address)),
    trail: hex(chain.engine.executionTrailHash),
    deferred: chain.engine.listDeferredCalls(),
  }
}

function hex(bytes: Uint8Array | undefined): string {
  return Buffer.from(bytes ?? []).toString('hex')
}

/** The one that was deployed. */
function contractOn(chain: DevnetChain): string | undefined {
  return [...chain.engine.ledger.addresses()].find((address) => address.startsWith('AS'))
}

describe('devnet/node/chain: on disk', () => {
  let folder: string
  let open: DevnetChain[] = []

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'massa-storage-chain-'))
  })

  afterEach(async () => {
    for (const chain of open) await chain.close()
    open = []
    rmSync(folder, { recursive: true })
  })

  async function openHere(options: Partial<DevnetChainOptions> = {}): Promise<DevnetChain> {
    const chain = await openStoredChain(join(folder, 'chain'), { ...QUICK, ...options })
    open.push(chain)
    return chain
  }

  /** Operations of every kind, one after another, by the slot. */
  function act(chain: DevnetChain): void {
    const index = indexOf(chain)
    if (index % 11 === 0) send(chain, ALICE, transfer(BigInt(index)))
    if (index % 13 === 0) send(chain, BOB, { kind: 'roll-buy', rollCount: 2n })
    if (index % 29 === 0) send(chain, BOB, { kind: 'roll-sell', rollCount: 1n })
    if (index % 31 === 0) send(chain, ALICE, { kind: 'roll-sell', rollCount: 1_000_000n })
    if (index === PERIOD) send(chain, BOB, makeDeployment(PROBE, new Args(), { coins: 5n * MAS }))
    const contract = contractOn(chain)
    if (index % 17 === 0 && contract !== undefined) {
      // Runs two periods later, and keeps something.
      const book = new Args()
        .addString('hello')
        .addU64(BigInt(chain.lastSlot.period + 2))
        .addU64(20_000_000n)
      const call = { kind: 'call-sc', maxGas: 500_000_000n, coinsNanoMas: 0n, functionName: 'defer' } as const
      send(chain, BOB, { ...call, target: parseAddress(contract), parameter: book.serialize() })
    }
    if (index === 70) chain.missNext(3, 4)
    if (index === 75) chain.forkNext(6, 5)
    if (index === 100) chain.setRates({ missRate: 0.2 })
  }

  it('goes on where it was closed, at any slot, with everything that it knew', async function () {
    this.timeout(120_000)
    let chain = await openHere()
    const reopened = { deferred: 0, entries: 0, pooled: 0, rolls: 0 }
    for (let i = 0; i < 9 * PERIOD; i++) {
      await pass(chain, 1)
      act(chain)
      if (i % 23 !== 7) continue
      const before = describeChain(chain)
      await chain.close()
      chain = await openHere()
      assert.deepEqual(describeChain(chain), before)
      reopened.deferred += chain.engine.listDeferredCalls().length
      reopened.entries += chain.finalLedger.keys(contractOn(chain) ?? '').length
      reopened.pooled += chain.poolSize
      reopened.rolls += Number(chain.rollsOf(BOB.address).final)
    }
    assert(
      Object.values(reopened).every((count) => count > 0),
      JSON.stringify(reopened),
    )
  })

  it('has no final events when it is opened, and those from then on, each once', async () => {
    const sell = (chain: DevnetChain, rollCount: bigint) => send(chain, ALICE, { kind: 'roll-sell', rollCount })
    let chain = await openHere()
    const told: (string | undefined)[] = []
    for (let round = 1n; round <= 3n; round++) {
      const id = sell(chain, round)
      await pass(chain, 6 * PERIOD)
      assert.deepEqual(
        chain.events.map(({ event }) => event.originOperationId),
        [id],
      )
      told.push(id)
      await chain.close()
      chain = await openHere()
      assert.deepEqual(chain.events, [])
    }
    assert.equal(new Set(told).size, 3)
  })

  it('does not get back what it forgot at a restart, killed or not, and makes the blocks that it would have made', async () => {
    const lone = await openStoredChain(join(folder, 'lone'), QUICK)
    open.push(lone)
    let chain = await openHere()
    for (const one of [lone, chain]) {
      for (let i = 0; i < 8 * PERIOD; i++) {
        await pass(one, 1)
        act(one)
      }
    }
    const count = () => chain.listGraph(0, Number.POSITIVE_INFINITY).length
    const before = count()
    await chain.forgetHistory()
    const after = count()
    assert(after < before - 2 * PERIOD, `${before} blocks, then ${after}`)
    // As after a kill: what is not written yet is lost.
    cpSync(join(folder, 'chain'), join(folder, 'copy'), { recursive: true })
    chain = await openStoredChain(join(folder, 'copy'), QUICK)
    open.push(chain)
    assert.equal(count(), after)
    await pass(lone, 4 * PERIOD)
    await pass(chain, 4 * PERIOD)
    assert.deepEqual(
      chain.bestParents.map(({ id }) => id),
      lone.bestParents.map(({ id }) => id),
    )
    assert.equal(hex(chain.finalTrailHash), hex(lone.finalTrailHash))
    assert.deepEqual(chain.finalSlot, lone.finalSlot)
  })

  it('makes the same blocks as a chain that was never closed', async () => {
    const ids = async (isReopened: boolean) => {
      const name = isReopened ? 'reopened' : 'kept'
      let chain = await openStoredChain(join(folder, name), QUICK)
      const made: string[] = []
      const finals: string[] = []
      const listen = () => {
        chain.onBlockReceived(({ id }) => made.push(id))
        chain.onSlotFinal(({ slotIndex: index, executionTrailHash }) =>
          finals.push(`${index} ${hex(executionTrailHash)}`),
        )
      }
      listen()
      for (let i = 0; i < 5 * PERIOD; i++) {
        await pass(chain, 1)
        act(chain)
        if (!isReopened || i % 17 !== 0) continue
        await chain.close()
        chain = await openStoredChain(join(folder, name), QUICK)
        listen()
      }
      await chain.close()
      return { made, finals }
    }
    assert.deepEqual(await ids(true), await ids(false))
  })

  for (const [what, bytecode] of [
    ['takes no pointer', TAKES_I64],
    ['sends a message, which the engine cannot', MESSENGER],
  ] as const) {
    it(`a call of a function that ${what} fails in one block, and the chain goes on, reopened too`, async () => {
      let chain = await openHere({ missRate: 0, orphanRate: 0 })
      const deployment = makeDeployment(bytecode, new Args())
      send(chain, BOB, deployment)
      await pass(chain, 2 * PERIOD)
      const target = parseAddress(contractOn(chain) ?? '')
      const parameter = new Uint8Array()
      const common = { kind: 'call-sc', functionName: 'run', parameter, coinsNanoMas: 0n } as const
      const id = send(chain, BOB, { ...common, target, maxGas: 50_000_000n })
      await pass(chain, 2 * PERIOD)
      assert.equal(chain.findExecution(id)?.success, false)
      assert.equal(chain.operations.get(id)?.inBlocks.length, 1)
      await chain.close()
      chain = await openHere({ missRate: 0, orphanRate: 0 })
      const before = chain.executedSlot.period
      await pass(chain, 4 * PERIOD)
      assert.equal(chain.executedSlot.period, before + 4)
      assert.deepEqual([chain.findExecution(id)?.success, chain.findExecution(id)?.isFinal], [false, true])
    })
  }

  it('keeps orders, rates and pooled operations as soon as they are written', async () => {
    const chain = await openHere({ missRate: 0 })
    await pass(chain, 3)
    chain.missNext(10)
    chain.forkNext(1, 11)
    const id = send(chain, ALICE, transfer(1n))
    await chain.written()
    await chain.close()
    const again = await openHere({ missRate: 0 })
    assert.equal(again.operations.get(id)?.isPooled, true)
    await pass(again, PERIOD)
    assert.equal(again.findCliqueBlock(slotIndex({ period: 1, thread: 10 })), undefined)
    const index = slotIndex({ period: 1, thread: 11 })
    assert.equal(again.listBlocks(index, index + 1).length, 2)
    assert.equal(again.operations.get(id)?.inBlocks.length, 1)
  })

  it('error: refuses to go on with another chain id, genesis, seed or staker; rates may change', async () => {
    const chain = await openHere()
    await pass(chain, 1)
    await chain.close()
    const others: Partial<DevnetChainOptions>[] = [
      { chainId: 78n },
      { genesisTimestampMs: 5 },
      { seed: 'other' },
      { stakers: chain.stakers.slice(1) },
    ]
    for (const other of others) {
      await assert.rejects(openHere(other), (error) => isArchiveError(error, 'DEVNET_CHAIN_MISMATCH'))
    }
    assert.equal(indexOf(await openHere({ missRate: 0.9, deltaF0: 3, endorsements: 16 })), PERIOD)
  })

  it('error: one process has it at a time, and a file is no directory', async () => {
    await openHere()
    await assert.rejects(openHere(), (error) => isArchiveError(error, 'DEVNET_CHAIN_UNAVAILABLE'))
    writeFileSync(join(folder, 'file'), '')
    const atFile = openStoredChain(join(folder, 'file'), QUICK)
    await assert.rejects(atFile, (error) => isArchiveError(error, 'DEVNET_CHAIN_UNAVAILABLE'))
  })

  it('tells its genesis before it is opened, and that there is none', async () => {
    const directory = join(folder, 'chain')
    assert.equal(await readStoredGenesis(directory), undefined)
    await (await openHere()).close()
    assert.equal(await readStoredGenesis(directory), OPTIONS.genesisTimestampMs)
  })

  it('a listener hears of a block when it is on disk', async () => {
    const chain = await openHere({ missRate: 0, orphanRate: 0 })
    const heard: string[] = []
    chain.onBlockReceived(({ id }) => heard.push(id))
    const moving = chain.advanceTo(chain.genesisTimestampMs + PERIOD * 500)
    await Promise.resolve()
    assert.deepEqual(heard, [])
    assert.equal(indexOf(chain), PERIOD - 1)
    await moving
    assert.equal(heard.length, 1)
    assert.equal(chain.findCliqueBlock(PERIOD)?.id, heard[0])
  })

  it('error: a chain that cannot write shows no block more', async () => {
    const chain = await openStoredChain(join(folder, 'broken'), { ...QUICK, missRate: 0 })
    await pass(chain, 2)
    const heard: string[] = []
    chain.onBlockReceived(({ id }) => heard.push(id))
    await chain.close()
    await assert.rejects(reach(chain, PERIOD + 4))
    await assert.rejects(reach(chain, PERIOD + 4))
    assert.deepEqual(heard, [])
    assert.equal(indexOf(chain), PERIOD + 1)
  })
})
