import assert from 'node:assert/strict'
import { Args } from '@massalabs/massa-web3'
import { formatHash, parseBlockId, parseHash } from '../../../core/index.ts'
import { deploy, MAS, makeEngine, PROBE } from './engine-fixture.ts'

/*
 * Slots of the sandbox run in which the probe was deployed (test/fixtures/contract-calls), as the node told them.
 * Period 2, thread 3 was missed.
 */
const TRAIL_BEFORE = 'KKaWpspwP6umKXjShAMpwjgSJHyaiKrmh3EruAgbH6v1iXcaB'
const BLOCK_2_4 = 'B1fZ4dYYMDiMqthFS8TUguVsGWEVPTexmnJvWa3xLgEEJq8nqgs'
const TRAIL_2_4 = 'EgdUmDi8Jx6xzhV8nFbvmUKWYVhShxPtgEL66SdR8E8tmckqr'
const BLOCK_2_5 = 'B12LG6fAt2Wonr9b2N7K8yAcrr2HSSbnTHjZA2XHbfaXxScAxU8p'
const TRAIL_2_5 = 'u1gCs7QeM6LpbkMe8aVbaSJBtTWKq778W6B3yZbiqR4hnPVnk'
const DEPLOYED_IN_2_5 = 'AS12umT6fgVWXVSjXXVEdkfd14Gkc8ienLH2m3NHA4VgbQAgpdd7p'
const TRAIL_2_24 = '2jcQCXfs4zy9QPJxeJsV8wHXc4sw6Z9aRBA5ovbCnmCMd8M8u1'
const READ_ONLY_2_25 = '2brC1C5ddNjPruJTK1CeuyPxaPb2sxQwVhveoeUSzrzXruzT5V'

describe('devnet/engine/trail', () => {
  it("follows a node's slots hash by hash, and gives a deployed contract the node's address", () => {
    const engine = makeEngine({ slot: { period: 2, thread: 3 }, executionTrailHash: parseHash(TRAIL_BEFORE) })
    engine.setSlot({ period: 2, thread: 4 }, parseBlockId(BLOCK_2_4))
    assert.equal(formatHash(engine.executionTrailHash), TRAIL_2_4)
    engine.setSlot({ period: 2, thread: 5 }, parseBlockId(BLOCK_2_5))
    assert.equal(formatHash(engine.executionTrailHash), TRAIL_2_5)
    const outcome = deploy(engine, PROBE, new Args(), { coins: 1_000_000_000n })
    assert.equal(outcome.error, undefined)
    assert.equal(engine.ledger.has(DEPLOYED_IN_2_5), true)
    assert.equal(outcome.events[0]?.data, `PROBE_CREATED:${DEPLOYED_IN_2_5}`)
    // What the recorded calls found there.
    assert.equal(engine.ledger.balance(DEPLOYED_IN_2_5), 998_800_000n)
  })

  it('is another one for read-only calls', () => {
    const engine = makeEngine({ slot: { period: 2, thread: 24 }, executionTrailHash: parseHash(TRAIL_2_24) })
    const target = engine.placeContract(PROBE)
    const [caller = ''] = engine.ledger.addresses()
    const request = { caller, target, functionName: 'rand', parameter: new Uint8Array(), maxGas: 500_000_000n }
    const outcome = engine.executeReadOnlyCall(request)
    assert.equal(formatHash(outcome.executionTrailHash), READ_ONLY_2_25)
    // The number that the node drew: call 39.
    assert.deepEqual([...outcome.returned], [16, 27, 193, 164, 31, 195, 159, 220])
  })

  it('a missed slot has a hash too', () => {
    const hash = (blockId?: Uint8Array) => {
      const engine = makeEngine()
      engine.setSlot({ period: 2, thread: 0 }, blockId)
      return formatHash(engine.executionTrailHash)
    }
    assert.notEqual(hash(), hash(parseBlockId(BLOCK_2_4)))
  })

  it('the address of a contract whose deployment failed is that of the next one', () => {
    const engine = makeEngine()
    const before = new Set(engine.ledger.addresses())
    assert.equal(deploy(engine, PROBE, new Args(), { coins: MAS, maxCoins: 1n }).success, false)
    assert.equal(deploy(engine, PROBE, new Args(), { coins: MAS }).success, true)
    const [address] = [...engine.ledger.addresses()].filter((each) => !before.has(each))
    const other = makeEngine()
    assert.equal(deploy(other, PROBE, new Args(), { coins: MAS }).success, true)
    assert(other.ledger.has(address ?? ''))
  })
})
