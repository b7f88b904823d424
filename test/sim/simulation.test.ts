import assert from 'node:assert/strict'
import type { SimNode } from './sim-node.ts'
import { SimulationError, type SimulationReport, simulate } from './simulation.ts'

/**
 * Of few nodes, for the time it takes: among them is every kind of what goes wrong. The others from 1 on are
 * `npm run sim -- --nodes 4`; without it the number of nodes is drawn, up to 30.
 */
const SEEDS = [3, 13, 14, 15, 16].map((seed) => ({ seed, nodes: 4 }))
/** Nothing but faults, and short: 16 s of CPU. */
const THIRTY = { seed: 126, nodes: 30 }
/** One with a rogue and archives in part, and one with neither. */
const [SEED, OTHER_SEED] = [16, 105]
/** By then no massa-node has the first periods any more. */
const AT_MS = 80_000

describe('test/sim: simulated networks with faults and hostile peers', function () {
  // Seconds each; the first one makes the chain, too, and machines may have other work.
  this.timeout(600_000)
  const reports = new Map<number, SimulationReport>()
  for (const { seed, nodes } of [...SEEDS, THIRTY]) {
    it(`seed ${seed}, ${nodes} nodes: nothing false is stored or served, nothing is lost, and all is well again when it is quiet`, async () => {
      const report = await simulate({ seed, nodes })
      assert.ok(report.checks > 0 && report.gossip > 0)
      reports.set(seed, report)
    })
  }

  it('every kind of fault, move, hostile peer and archive was there in these seeds', () => {
    const all = [...reports.values()]
    const seen = new Set(all.flatMap(({ faults, rogues, archives }) => [...Object.keys(faults), ...rogues, archives]))
    for (const kind of ['crash', 'powerLoss', 'restart', 'death', 'diskLoss', 'slowDisk', 'fullDisk', 'clockJump']) {
      assert.ok(seen.has(kind), kind)
    }
    for (const kind of ['partition', 'storm', 'feedOutage', 'join', 'leave', 'hole', 'whole', 'parts']) {
      assert.ok(seen.has(kind), kind)
    }
    for (const kind of ['liar', 'mute', 'flooder', 'crowd', 'sham', 'forger']) assert.ok(seen.has(kind), kind)
    assert.ok(all.some(({ letGo }) => letGo > 0))
  })

  it('the same seed happens in the same way twice, another one does not', async () => {
    const first = reports.get(SEED) ?? (await simulate({ seed: SEED, nodes: 4 }))
    const second = await simulate({ seed: SEED, nodes: 4 })
    const other = await simulate({ seed: OTHER_SEED, nodes: 4 })
    assert.deepEqual(second, first)
    assert.notEqual(other.traceHash, first.traceHash)
  })

  async function sabotage(act: (nodes: readonly SimNode[]) => void): Promise<void> {
    await simulate({ seed: OTHER_SEED, nodes: 4, sabotage: { atMs: AT_MS, act } })
  }

  it('error: finds a false chunk as it is stored, names the seed, and finds the same when it is run again', async () => {
    const store = ([node]: readonly SimNode[]): void => {
      const stored = node?.disk.get(5)
      assert.ok(node && stored)
      node.disk.commit(5, { ...stored, values: new Map([...stored.values, [0, new Uint8Array(9)]]) })
    }
    const messages: string[] = []
    for (const _ of ['first', 'again']) {
      await assert.rejects(sabotage(store), (error) => {
        assert.ok(error instanceof SimulationError)
        const named = new RegExp(`seed ${OTHER_SEED}: node0: value 0 of period 5 .* trace [0-9a-f]{16}`, 's')
        assert.match(error.message, named)
        messages.push(error.message)
        return true
      })
    }
    assert.equal(messages[1], messages[0])
  })

  it('error: finds a chunk that is let go of while one that must hold it does not, and the last copy as it goes', async () => {
    // Of four nodes three hold it: one of those that lack it is a holder.
    const lettingGo = sabotage(([first, , ...others]) => {
      for (const { disk } of others) disk.damage(5, 0)
      const stored = first?.disk.get(5)
      assert.ok(first && stored)
      first.disk.commit(5, { ...stored, values: new Map([...stored.values].filter(([n]) => n !== 0)) })
    })
    await assert.rejects(lettingGo, /node0: let go of chunk 0 of period 5, and node\d does not hold it/)
    const losing = sabotage((nodes) => {
      for (const node of nodes) node.disk.commit(5, undefined)
    })
    await assert.rejects(losing, /had the last copy of chunk 0 of period 5, and it is gone/)
  })

  it('error: finds a have-map that says what is not on disk', async () => {
    const lying = sabotage(([node]) => {
      // It does not read it again, and so does not find out.
      for (let period = 5; period < 60; period++) node?.disk.damage(period, 0)
    })
    await assert.rejects(lying, /node0: says that it holds chunk 0 of period \d+, and does not/)
  })

  it('error: finds copies that are too few when it is quiet, and a node that stands still', async () => {
    const losing = sabotage(([first, second, third]) => {
      for (const node of [first, second, third]) node?.disk.commit(5, undefined)
    })
    await assert.rejects(losing, /chunk 0 of period 5 has 2 copies|does not hold chunk 0 of period 5, which it must/)
    const standing = sabotage(([node]) => {
      assert.ok(node)
      Object.defineProperty(node.feed, 'isUp', { get: () => false, set: () => undefined })
    })
    await assert.rejects(standing, /node0 stands at/)
  })
})
