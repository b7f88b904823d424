import assert from 'node:assert/strict'
import fc from 'fast-check'
import { encodeRegistryResult, encodeRegistryViewArgs } from '../../../core/index.ts'
import { EarningsReader } from '../../../devnet/up/earnings-reader.ts'
import { VIEW_RESULTS } from '../../core/registry/arbitraries.ts'
import { SetClock } from '../set-clock.ts'

const REGISTRY = 'AS12KVotX3GTLuGqCuL8q6mRHFTjMGFDUCA7EvoG8RXxFKpRvyYM5'
const [FIRST, SECOND] = [
  'AU12uPNLiw6YLh5icu9JjTJFrkjQqeeqAQZuax9A4Hy54AnGs1h2o',
  'AU12CzoKEASaeBHnxGLnHDG2u73dLzWWfgvW6bc4L1UfMA5Uc5Fg7',
] as const
const [ANY_NODE] = fc.sample(VIEW_RESULTS.getNodeInfo, { numRuns: 1, seed: 1 })

describe('devnet/up/earnings-reader', () => {
  let clock: SetClock
  let asked: unknown[][]
  let answer: () => unknown

  function make(): EarningsReader {
    const call = async (...all: unknown[]) => {
      asked.push(all)
      return answer()
    }
    return new EarningsReader({ link: { call }, clock })
  }

  beforeEach(() => {
    clock = new SetClock()
    asked = []
    answer = () => []
  })

  it('asks for all nodes at once and tells the share passed of what is over, in thousandths, rounded down', async () => {
    const cases: readonly (readonly [bigint, bigint, number, number | undefined])[] = [
      [0n, 0n, 0, undefined],
      [3n, 0n, 3, undefined],
      [3n, 2n, 1, 1],
      [3n, 2n, 0, 0.666],
      [2n, 0n, 1, 0],
      [100_000n, 99_999n, 0, 0.999],
    ]
    const reader = make()
    for (const [total, passed, open, successRate] of cases) {
      answer = () => [recordOf(total, passed, open, 5n), recordOf(1n, 1n, 0, (1n << 64n) - 1n)]
      await reader.read(REGISTRY, [FIRST, SECOND])
      assert.deepEqual(reader.find(FIRST), { successRate, pendingRewardsNanoMas: '5' })
      assert.deepEqual(reader.find(SECOND), { successRate: 1, pendingRewardsNanoMas: '18446744073709551615' })
      clock.timeMs += 2_000
    }
    assert.equal(asked.length, cases.length)
    const call = (address: string) => ({
      max_gas: 4_294_967_295,
      target_address: REGISTRY,
      target_function: 'getNodeInfo',
      parameter: [...encodeRegistryViewArgs('getNodeInfo', { address })],
    })
    assert.deepEqual(asked[0], ['execute_read_only_call', [[call(FIRST), call(SECOND)]]])
  })

  it('limit: asks every two seconds at most, one call at a time, and nothing where no node is known', async () => {
    const reader = make()
    await reader.read(REGISTRY, [])
    assert.equal(asked.length, 0)
    await reader.read(REGISTRY, [FIRST])
    clock.timeMs += 1_999
    await reader.read(REGISTRY, [FIRST])
    assert.equal(asked.length, 1)
    clock.timeMs += 1
    let end = (_answer: unknown): void => {}
    answer = () =>
      new Promise((resolve) => {
        end = resolve
      })
    const reading = reader.read(REGISTRY, [FIRST])
    clock.timeMs += 10_000
    await reader.read(REGISTRY, [FIRST])
    assert.equal(asked.length, 2)
    end([])
    await reading
    answer = () => []
    await reader.read(REGISTRY, [FIRST])
    assert.equal(asked.length, 3)
  })

  it('error: a node that is away, or answers what is no list, leaves what was known', async () => {
    const reader = make()
    answer = () => [recordOf(1n, 1n, 0, 7n)]
    await reader.read(REGISTRY, [FIRST])
    const refuse = () => Promise.reject(new TypeError('fetch failed'))
    for (const wrong of [refuse, () => null, () => undefined]) {
      answer = wrong
      clock.timeMs += 2_000
      await reader.read(REGISTRY, [FIRST])
      assert.deepEqual(reader.find(FIRST), { successRate: 1, pendingRewardsNanoMas: '7' })
    }
    assert.equal(asked.length, 4)
  })

  it('error: what is no record of a node is none, and spoils none of the others', async () => {
    const good = recordOf(1n, 1n, 0, 7n)
    const [short, long] = [good.result.Ok.slice(1), [...good.result.Ok, 0]]
    const wrong = [
      { result: { Error: 'readonly call failed: REGISTRY_NODE_UNKNOWN' } },
      ...[short, long, [], 7, null, 'Ok'].map((Ok) => ({ result: { Ok } })),
      ...[{}, null, undefined, 'x'],
    ]
    const reader = make()
    for (const each of wrong) {
      for (const first of [good, each]) {
        answer = () => [first, good]
        await reader.read(REGISTRY, [FIRST, SECOND])
        clock.timeMs += 2_000
        assert.equal(reader.find(FIRST) !== undefined, first === good)
        assert.equal(reader.find(SECOND)?.pendingRewardsNanoMas, '7')
      }
    }
  })
})

/** As the node gives it. */
function recordOf(totalChallenges: bigint, passedChallenges: bigint, openChallenges: number, pendingRewards: bigint) {
  assert(ANY_NODE)
  const node = { ...ANY_NODE, totalChallenges, passedChallenges, openChallenges, pendingRewards }
  return { result: { Ok: [...encodeRegistryResult('getNodeInfo', node)] } }
}
