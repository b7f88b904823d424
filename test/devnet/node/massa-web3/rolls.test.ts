import assert from 'node:assert/strict'
import { Mas, OperationStatus } from '@massalabs/massa-web3'
import { MAS } from '../face.ts'
import { ALICE, NOBODY, openWeb3Face, type Web3Face } from './web3-face.ts'

const ROLL_PRICE = Mas.fromString('100')
const FEE = Mas.fromString('0.01')

describe('massa-web3 on the devnet node: rolls', () => {
  let face: Web3Face

  beforeEach(async () => {
    face = await openWeb3Face()
  })

  afterEach(() => face.close())

  const info = () => face.api.getAddressInfo(ALICE.address)

  it('bought rolls are candidate first and final later, at 100 MAS each', async () => {
    await face.provider.buyRolls(3n)
    face.execute()
    const early = await info()
    assert.deepEqual([early.candidate_roll_count, early.final_roll_count], [3, 0])
    assert.equal(Mas.fromString(early.candidate_balance), 100_000n * MAS - 3n * ROLL_PRICE - FEE)
    face.finalize()
    const late = await info()
    assert.deepEqual([late.candidate_roll_count, late.final_roll_count], [3, 3])
  })

  it('sold rolls are owed as a deferred credit at the end of the third cycle after', async () => {
    await face.provider.buyRolls(3n)
    face.execute()
    await face.provider.sellRolls(2n)
    face.execute()
    const { candidate_roll_count, deferred_credits } = await info()
    assert.equal(candidate_roll_count, 1)
    assert.deepEqual(deferred_credits, [{ slot: { period: 511, thread: 31 }, amount: '200' }])
  })

  it('a deferred credit is paid in its slot', async function () {
    this.timeout(20_000)
    await face.provider.buyRolls(2n)
    face.execute()
    await face.provider.sellRolls(2n)
    face.execute()
    const before = await face.provider.balance(false)
    face.pass(500)
    assert.equal(await face.provider.balance(false), before)
    face.pass(12)
    assert.equal(await face.provider.balance(false), before + 2n * ROLL_PRICE)
    assert.deepEqual((await info()).deferred_credits, [])
  })

  it('error: selling more rolls than there are fails and says so', async () => {
    const operation = await face.provider.sellRolls(1n)
    face.execute()
    assert.equal(await operation.getStatus(), OperationStatus.SpeculativeError)
    const [event] = await face.provider.getEvents({ operationId: operation.id })
    assert.match(event?.data ?? '', /RollSell/)
  })

  it('buying more rolls than the balance pays is in no block, and costs nothing', async () => {
    const before = await face.provider.balance(false)
    const operation = await face.provider.buyRolls(1_001n)
    face.execute()
    assert.equal(await operation.getStatus(), OperationStatus.NotFound)
    assert.equal((await info()).candidate_roll_count, 0)
    assert.equal(await face.provider.balance(false), before)
  })

  it('error: no roll is nothing to buy or to sell', async () => {
    await assert.rejects(face.provider.buyRolls(0n), /positive/)
    await assert.rejects(face.provider.sellRolls(0n), /positive/)
  })

  it('stakers come with their rolls, most first, a page at a time', async () => {
    const all = await face.api.getStakers({ offset: 0, limit: 100 })
    assert.equal(all.length, 16)
    const page = await face.api.getStakers({ offset: 1, limit: 5 })
    assert.deepEqual(page, all.slice(5, 10))
  })

  it('a staker sees the slots drawn for it, what it made and how it did; others see none', async () => {
    face.pass(8)
    const [[address = ''] = []] = (await face.api.getStakers({ offset: 0, limit: 1 })) as unknown as [string, number][]
    const staker = await face.api.getAddressInfo(address)
    assert(staker.next_block_draws.length > 0)
    assert(staker.next_endorsement_draws.length > staker.next_block_draws.length)
    const [cycle] = staker.cycle_infos
    assert.equal(cycle?.active_rolls, 100)
    const nobody = await face.api.getAddressInfo(NOBODY.address)
    assert.deepEqual(
      [nobody.next_block_draws, nobody.created_blocks, nobody.cycle_infos[0]?.active_rolls],
      [[], [], null],
    )
  })
})
