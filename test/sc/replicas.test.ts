import assert from 'node:assert/strict'
import { ERA_PERIODS } from '../../core/index.ts'
import { anchor, deployAnchored, makeEra } from './anchored-world.ts'
import { readState } from './registry-records.ts'
import { ANYONE, call, goTo } from './registry-world.ts'

const ROOT = new Uint8Array(32)
/** A GB of placement counts for so many bytes of history. */
const PLACED_BYTES = 800_000_000n

describe('sc: replicas', () => {
  for (const [totalBytes, replicas] of [
    [PLACED_BYTES - 1n, 3n],
    [PLACED_BYTES, 3n],
    [PLACED_BYTES + 1n, 1n],
  ] as const) {
    it(`limit: 3 GB placed hold ${replicas} of ${totalBytes} bytes`, () => {
      const world = deployAnchored(3)
      anchor(world, { ...makeEra(1), totalBytes }, ROOT)
      goTo(world, 5 * ERA_PERIODS)
      const before = readState(world)
      call(world, ANYONE, 'fundRewards', undefined, 1n)
      assert.deepEqual([before.get('weight'), before.get('placementTotal')], [3n, 3n])
      assert.equal(readState(world).get('eraReplicas'), replicas)
      // What a period pays a GB, at a rate of 1,000,000.
      const utilisation = (totalBytes * replicas) / 3000n
      const paidPerGb = utilisation > 1_000_000n ? 1_000_000n : utilisation
      goTo(world, 5 * ERA_PERIODS + 1)
      const start = readState(world)
      call(world, ANYONE, 'fundRewards', undefined, 1n)
      assert.equal(readState(world).get('index') - start.get('index'), paidPerGb)
    })
  }
})
