import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type DevnetChain, type DevnetChainOptions, openStoredChain } from '../../../../devnet/node/index.ts'
import { ALICE, BOB, indexOf, MAS, makeSender, OPTIONS, openChain, pass, reach, send } from './made-chain.ts'

const CYCLE_SLOTS = 128 * 32
const CAROL = makeSender('carol')
/** One block a period, so that cycles pass quickly. */
const QUICK: Partial<DevnetChainOptions> = { endorsements: 0, deltaF0: 2, skipsEmptyBlocks: true }

const rollsNow = (chain: DevnetChain) => chain.listActiveStakers().map(({ address, rolls }) => [address, rolls])
const producersOf = (chain: DevnetChain, cycle: number) =>
  Array.from({ length: CYCLE_SLOTS }, (_, i) => chain.producerOf(cycle * CYCLE_SLOTS + i))

const idsOf = (chain: DevnetChain) => chain.bestParents.map(({ id }) => id)

describe('devnet/node/chain: staking', function () {
  this.timeout(30_000)

  it('rolls bought in a cycle are drawn three cycles later; slots drawn for who runs no node are missed', async () => {
    const chain = openChain({ ...QUICK, stakers: [{ key: BOB.key, rolls: 3n }] })
    await reach(chain, 100)
    send(chain, ALICE, { kind: 'roll-buy', rollCount: 1n })
    await reach(chain, 3 * CYCLE_SLOTS - 1)
    assert.deepEqual(rollsNow(chain), [[BOB.address, 3n]])
    const drawn = producersOf(chain, 3)
    const share = drawn.filter((address) => address === ALICE.address).length / drawn.length
    assert(Math.abs(share - 0.25) < 0.03, `${share}`)
    let made = 0
    chain.onBlockReceived(({ creator, slot }) => {
      assert.equal(creator, BOB.address)
      if (slot.thread === 0) made++
    })
    await reach(chain, 4 * CYCLE_SLOTS - 1)
    assert.deepEqual(rollsNow(chain), [
      [BOB.address, 3n],
      [ALICE.address, 1n],
    ])
    assert.equal(made, drawn.filter((address, i) => i % 32 === 0 && address === BOB.address).length)
    const [info] = chain.cyclesOf(ALICE.address).slice(-1)
    assert.deepEqual([info?.cycle, info?.okCount, info?.activeRolls], [3, 0, 1n])
    assert(Number(info?.nokCount) > 900)
  })

  it('nobody signs endorsements of who runs no node; the others keep their index', async () => {
    const chain = openChain({ ...QUICK, endorsements: 16, deltaF0: 34, stakers: [{ key: BOB.key, rolls: 3n }] })
    await reach(chain, 100)
    send(chain, ALICE, { kind: 'roll-buy', rollCount: 3n })
    await reach(chain, 3 * CYCLE_SLOTS + 64)
    const [block] = chain.listBlocks(3 * CYCLE_SLOTS, 3 * CYCLE_SLOTS + 65)
    assert(block)
    const expected = [...chain.drawOf(block.slotIndex).endorsers.entries()].flatMap(([place, address]) =>
      address === BOB.address ? place : [],
    )
    assert(expected.length > 0 && expected.length < 16)
    assert.deepEqual(
      block.header.endorsements.map(({ index }) => index),
      expected,
    )
  })

  it('stakers buy back at the start of a cycle what rivals cost them', async () => {
    const chain = openChain({ ...QUICK, orphanRate: 1 })
    const total = () => chain.listStakers().reduce((sum, { rolls }) => sum + rolls, 0n)
    for (let cycle = 1; cycle <= 4; cycle++) {
      await reach(chain, cycle * CYCLE_SLOTS - 1)
      assert(total() <= 1600n - 100n, `${total()} at the end of cycle ${cycle - 1}`)
      await pass(chain, 2 * 32 + 6)
      // What is bought is in blocks, which have rivals too.
      assert(total() > 1550n, `${total()} early in cycle ${cycle}`)
    }
    assert(chain.listActiveStakers().every(({ rolls }) => rolls < 100n))
  })

  it('when no staker has a roll left, the draw stays what it was', async () => {
    const stakers = [{ key: CAROL.key, rolls: 2n }]
    const accounts = [...OPTIONS.accounts, [CAROL.address, MAS] as const]
    const chain = openChain({ ...QUICK, accounts, stakers })
    chain.forkNext(3)
    await reach(chain, 4 * CYCLE_SLOTS)
    assert.equal(chain.rollsOf(CAROL.address).final, 0n)
    assert.deepEqual(chain.listStakers(), [])
    assert.deepEqual(rollsNow(chain), [[CAROL.address, 2n]])
    const before = indexOf(chain)
    await pass(chain, 64)
    assert.equal(chain.listBlocks(before, before + 64).length, 2)
  })

  it('the draw is the same after a restart, at any cycle', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'massa-storage-staking-'))
    const options = { ...OPTIONS, ...QUICK, stakers: [{ key: BOB.key, rolls: 3n }] }
    const kept = openChain(options)
    let stored = await openStoredChain(join(folder, 'chain'), options)
    try {
      for (let cycle = 0; cycle < 4; cycle++) {
        for (const chain of [kept, stored]) {
          await reach(chain, cycle * CYCLE_SLOTS + 100)
          send(chain, ALICE, { kind: 'roll-buy', rollCount: BigInt(1 + cycle) })
          await reach(chain, (cycle + 1) * CYCLE_SLOTS - 20 + 40 * (cycle % 2))
        }
        await stored.close()
        stored = await openStoredChain(join(folder, 'chain'), options)
        assert.deepEqual(rollsNow(stored), rollsNow(kept))
        assert.equal(stored.lastDrawnIndex, kept.lastDrawnIndex)
        assert.deepEqual(idsOf(stored), idsOf(kept))
        assert.deepEqual(producersOf(stored, cycle + 2), producersOf(kept, cycle + 2))
      }
      assert(rollsNow(kept).length > 1)
    } finally {
      await stored.close()
      rmSync(folder, { recursive: true })
    }
  })
})
