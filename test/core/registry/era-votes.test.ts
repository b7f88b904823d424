import assert from 'node:assert/strict'
import {
  computeQuorum,
  computeVote,
  computeVoteKey,
  computeVotePage,
  computeVotePageKey,
  readAllVotes,
  readVotePage,
  readVoteRecord,
} from '../../../core/index.ts'

const DIGEST = Uint8Array.from({ length: 32 }, (_, i) => 0xa0 + i)

function record(sizeBytes: number, numbers: readonly (readonly [offset: number, value: bigint])[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(sizeBytes))
  view.setUint8(0, 1)
  for (const [offset, value] of numbers) view.setBigUint64(offset, value, true)
  return new Uint8Array(view.buffer)
}

describe('core/registry/era-votes', () => {
  it('keys of a vote and of its pages of 256 places', () => {
    assert.equal(computeVoteKey(7, DIGEST), 'vote_7_a0a1a2a3a4a5a6a7')
    assert.equal(computeVotePageKey(7, DIGEST, 2), 'vote_7_a0a1a2a3a4a5a6a7_2')
    assert.deepEqual([0n, 255n, 256n, 9_999n].map(computeVotePage), [0, 0, 1, 39])
  })

  it('what was counted, and whose; marks of another era are void', () => {
    const bytes = record(49, [
      [33, 8n],
      [41, 30n],
    ])
    bytes.set(DIGEST, 1)
    assert.deepEqual(readVoteRecord(bytes), { digest: DIGEST, snapshotEra: 8n, tally: 30n })
    const page = record(41, [[1, 8n]])
    page[9] = 0b1000_0001
    page[40] = 0b1000_0000
    assert.deepEqual(readVotePage(page, 1, 8), [256n, 263n, 511n])
    assert.deepEqual(readVotePage(page, 1, 9), [])
  })

  it('votes of all nodes, and of one, are those at the start of the era', () => {
    const state = record(320, [
      [29, 70n],
      [37, 8n],
      [45, 60n],
    ])
    assert.deepEqual([readAllVotes(state, 9), readAllVotes(state, 8)], [70n, 60n])
    const node = { vote: 10n, voteEra: 8n, previousVote: 5n, movedEra: 0n }
    assert.deepEqual([computeVote(node, 9), computeVote(node, 8)], [10n, 5n])
    // It took the place of another one: the mark of that place may be the other's.
    assert.deepEqual([computeVote({ ...node, movedEra: 9n }, 9), computeVote({ ...node, movedEra: 9n }, 10)], [0n, 10n])
  })

  it('the quorum is rounded up', () => {
    assert.deepEqual(
      [0n, 1n, 3n, 70n, 1_000_000n].map((votes) => computeQuorum(votes, 666_667)),
      [0n, 1n, 3n, 47n, 666_667n],
    )
  })

  it('error: records of another length or version', () => {
    for (const bytes of [record(48, []), record(50, []), record(49, []).fill(2, 0, 1)]) {
      assert.throws(() => readVoteRecord(bytes), { code: 'CORE_BYTES_INVALID' })
    }
    assert.throws(() => readVotePage(record(40, []), 0, 1), { code: 'CORE_BYTES_INVALID' })
    assert.throws(() => readAllVotes(record(319, []), 1), { code: 'CORE_BYTES_INVALID' })
  })
})
