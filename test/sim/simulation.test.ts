import assert from 'node:assert/strict'
import type { SimNode } from './sim-node.ts'
import { SimulationError, simulate } from './simulation.ts'

/** Of few nodes, for the time it takes; `npm run sim` draws their number, up to 30. */
const SEEDS = 20
/** Quick ones, with rogues and without. */
const [SEED, OTHER_SEED] = [16, 13]
/** By then no massa-node has the first periods any more. */
const AT_MS = 80_000

describe('test/sim: simulated networks with faults and hostile peers', function () {
  // Seconds each; the first one makes the chain, too, and machines may be loaded.
  this.timeout(240_000)
  for (let seed = 1; seed <= SEEDS; seed++) {
    it(`seed ${seed}: nothing false is stored or served, nothing is lost, and all is well again when it is quiet`, async () => {
      const report = await simulate({ seed, nodes: seed < SEEDS ? 4 : 10 })
      assert.ok(report.checks > 0 && report.gossip > 0)
    })
  }

  it('the same seed happens in the same way twice, another one does not', async () => {
    const [first, second] = [await simulate({ seed: SEED, nodes: 4 }), await simulate({ seed: SEED, nodes: 4 })]
    const other = await simulate({ seed: OTHER_SEED, nodes: 4 })
    assert.deepEqual(second, first)
    assert.notEqual(other.traceHash, first.traceHash)
  })

  async function sabotage(act: (nodes: readonly SimNode[]) => void): Promise<void> {
    await simulate({ seed: OTHER_SEED, sabotage: { atMs: AT_MS, act } })
  }

  it('error: finds a false chunk as it is stored, and names the seed', async () => {
    const storing = sabotage(([node]) => {
      const stored = node?.disk.get(5)
      assert.ok(node && stored)
      node.disk.commit(5, { ...stored, values: new Map([...stored.values, [0, new Uint8Array(9)]]) })
    })
    await assert.rejects(storing, (error) => {
      assert.ok(error instanceof SimulationError)
      assert.match(
        error.message,
        new RegExp(`seed ${OTHER_SEED}: node0: value 0 of period 5 .* trace [0-9a-f]{16}`, 's'),
      )
      return true
    })
  })

  it('error: finds periods that are gone from every disk, and a node that stands still', async () => {
    const losing = sabotage((nodes) => {
      for (const node of nodes) node.disk.commit(5, undefined)
    })
    await assert.rejects(losing, /chunk 0 of period 5 has 0 copies/)
    const standing = sabotage(([node]) => {
      assert.ok(node)
      Object.defineProperty(node.feed, 'isUp', { get: () => false, set: () => undefined })
    })
    await assert.rejects(standing, /node0 stands at/)
  })
})
