import assert from 'node:assert/strict'
import { computeReplicas } from '../../../core/index.ts'

const GB = 1_000_000_000n

/** Copies that `nodes` hold which each offer all of a history, and so are counted for its GB. */
function countCopies(nodes: bigint, historyBytes: bigint): bigint {
  const countedGb = (historyBytes + GB - 1n) / GB
  const room = { activeNodes: nodes, placementTotal: nodes * countedGb, anchoredBytes: historyBytes }
  return computeReplicas({ replicationFactor: 3, ...room })
}

describe('core/registry/placement-records', () => {
  it('nodes that each offer all of a history hold 0.8 copies each of a long one, as CONTRACT.md says', () => {
    for (const [historyBytes, copies] of [
      [100n * GB, [1n, 1n, 2n, 3n, 3n]],
      [10n * GB, [1n, 1n, 2n, 3n, 3n]],
      [900_000_000n, [1n, 1n, 1n, 2n, 2n]],
      [800_000_001n, [1n, 1n, 1n, 2n, 2n]],
      [800_000_000n, [1n, 2n, 3n, 3n, 3n]],
      [1n, [1n, 2n, 3n, 3n, 3n]],
      [0n, [1n, 2n, 3n, 3n, 3n]],
    ] as const) {
      const counted = copies.map((_, i) => countCopies(BigInt(i + 1), historyBytes))
      assert.deepEqual(counted, copies, `${historyBytes} bytes`)
    }
  })
})
