import assert from 'node:assert/strict'
import { ERA_PERIODS } from '../../../core/index.ts'
import { computeAnchorTurn } from '../../../storage-worker/eras/anchor-turn.ts'
import { planBallot, type Voter } from '../../../storage-worker/eras/plan-ballot.ts'

const voters = (...votes: bigint[]): Voter[] => votes.map((vote, i) => ({ address: `n${i}`, index: BigInt(i), vote }))
const plan = (from: readonly Voter[], change: { quorum: bigint; tally?: bigint; counted?: bigint[] }, most = 100) => {
  const { quorum, tally = 0n, counted = [] } = change
  const ballot = planBallot(from, { quorum, tally, counted: new Set(counted) }, most)
  return ballot && [ballot.voters.map(({ index }) => Number(index)), ballot.isQuorum, ballot.reachesQuorum]
}

describe('storage-worker/eras: ballots', () => {
  it('the fewest signatures that make the quorum, ascending by place', () => {
    const all = voters(1n, 5n, 1n, 5n, 1n)
    assert.deepEqual(plan(all, { quorum: 10n }), [[1, 3], true, true])
    assert.deepEqual(plan(all, { quorum: 11n }), [[0, 1, 3], true, true])
    assert.deepEqual(plan([...all].reverse(), { quorum: 11n }), [[0, 1, 3], true, true])
    assert.deepEqual(plan(all, { quorum: 13n }), [[0, 1, 2, 3, 4], true, true])
  })

  it('limit: what does not fit into one call is for the next ones; each takes the largest votes that are not counted', () => {
    const all = voters(...Array.from({ length: 205 }, () => 1n), 2n)
    const first = planBallot(all, { quorum: 206n, tally: 0n, counted: new Set() }, 100)
    assert.deepEqual([first?.voters.length, first?.isQuorum, first?.reachesQuorum], [100, false, true])
    assert.equal(first?.voters.at(-1)?.index, 205n)
    assert.equal(planBallot(all.slice(0, 100), { quorum: 100n, tally: 0n, counted: new Set() }, 100)?.isQuorum, true)
    assert.equal(planBallot(all.slice(0, 101), { quorum: 101n, tally: 0n, counted: new Set() }, 100)?.isQuorum, false)
    const counted = first?.voters.map(({ index }) => index) ?? []
    const second = planBallot(all, { quorum: 206n, tally: 101n, counted: new Set(counted) }, 100)
    assert.deepEqual([second?.voters.length, second?.isQuorum], [100, false])
    assert.ok(second?.voters.every(({ index }) => !counted.includes(index)))
    const more = [...counted, ...(second?.voters.map(({ index }) => index) ?? [])]
    const third = planBallot(all, { quorum: 206n, tally: 201n, counted: new Set(more) }, 100)
    assert.deepEqual([third?.voters.length, third?.isQuorum], [5, true])
  })

  it('who is counted, or has no vote, is left out', () => {
    const all = voters(5n, 0n, 5n, 5n)
    assert.deepEqual(plan(all, { quorum: 15n, tally: 5n, counted: [2n] }), [[0, 3], true, true])
    assert.equal(plan(all, { quorum: 20n, tally: 15n, counted: [0n, 2n, 3n] }), undefined)
    assert.equal(plan(voters(0n), { quorum: 1n }), undefined)
    assert.equal(plan([], { quorum: 1n }), undefined)
  })

  it('no votes at all: nothing to send', () => {
    assert.equal(plan(voters(0n, 0n), { quorum: 0n }), undefined)
  })

  it('less than the quorum: all that is here', () => {
    assert.deepEqual(plan(voters(5n, 5n), { quorum: 11n }), [[0, 1], false, false])
  })
})

describe('storage-worker/eras: whose turn it is to anchor', () => {
  const addresses = Array.from({ length: 9 }, (_, i) => `node ${i}`)
  const turns = (era: number, eraInForce = era + 1, from: readonly string[] = addresses) =>
    addresses.map((address) => computeAnchorTurn({ era, eraInForce, address }, from))

  it('one after the other, each two periods later, from the 8th period after the end of the era on', () => {
    const first = 6 * ERA_PERIODS + 8
    assert.deepEqual(
      turns(5).sort((a, b) => Number(a) - Number(b)),
      addresses.map((_, i) => first + 2 * i),
    )
    assert.deepEqual(turns(5, 6, [...addresses].reverse()), turns(5))
  })

  it('another order in each era; an era that was left open is taken up in the next one, in its order', () => {
    assert.notDeepEqual(
      turns(6).map((turn) => Number(turn) - ERA_PERIODS),
      turns(5),
    )
    assert.deepEqual(
      turns(5, 8),
      turns(5).map((turn) => Number(turn) + 2 * ERA_PERIODS),
    )
  })

  it('who is no node of the placement has no turn', () => {
    assert.equal(computeAnchorTurn({ era: 5, eraInForce: 6, address: 'stranger' }, addresses), undefined)
  })
})
