import assert from 'node:assert/strict'
import type { Scenario } from './scenario.ts'

const RETENTION_PERIODS = 10
/** Deletions come a few periods at a time. */
const MOST_KEPT = 64

export const shortMemory: Scenario = {
  name: 'short-memory',
  story:
    'A sidecar joins that keeps ten periods alone; it lets go of the others, and every chunk has its copies with those that keep for ever.',
  isLong: true,
  async play(stage) {
    const [witness] = await stage.listKeepers()
    assert(witness, 'there is no sidecar that keeps for ever')
    const before = await stage.untilAtFloor(witness)
    const joined = await stage.nextPeriod()
    const name = await stage.add(RETENTION_PERIODS)
    try {
      const { address } = await stage.find(name)
      await stage.untilLong(`${name} is a node of the placement in force`, async () => {
        const { nodes } = await stage.checkCluster(witness)
        return nodes.some((node) => node.address === address && node.isRegistered)
      })
      await stage.untilLong(`${name} has let go of what it had first`, async () => {
        const { archived } = await stage.find(name)
        return archived !== undefined && archived.first > joined && archived.last - archived.first < MOST_KEPT
      })

      const report = await stage.untilAtFloor(witness)
      const row = report.nodes.find((node) => node.address === address)
      assert.deepEqual([row?.retentionPeriods, row?.assigned, row?.lacking], [RETENTION_PERIODS, 0, 0])
      assert.equal(report.keepers.count, before.keepers.count, 'it counts as one that keeps for ever')
      assert(report.chunks.total > before.chunks.total)
      assert.equal(report.chunks.pastRetention, 0, 'chunks were let go that somebody is to keep for ever')
    } finally {
      await stage.remove(name)
    }
  },
}
