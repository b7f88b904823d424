import assert from 'node:assert/strict'
import { computeLeastBatch } from '../../../storage-worker/challenge/least-batch.ts'

describe('storage-worker/challenge/least-batch', () => {
  it('is the fewest of which the fee takes a twentieth, or as many as a call has room for', () => {
    const cases = [
      // 20 x 0.01 MAS of 0.0249 MAS each are 8.03.
      [10_000_000n, 249, 9],
      [10_000_000n, 82, 20],
      [1_000_000_000n, 249, 20],
      [1n, 249, 1],
      [0n, 249, 1],
    ] as const
    for (const [fee, bytes, least] of cases) assert.equal(computeLeastBatch(fee, bytes), least)
  })
})
