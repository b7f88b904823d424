import assert from 'node:assert/strict'
import { loadRegistryParams } from '../../../config/index.ts'
import { toHex } from '../../../core/index.ts'
import { SimRandom } from '../sim-random.ts'
import { ChallengedNode } from './challenged-node.ts'
import { JudgedNode } from './judged-node.ts'
import { MadeArchive } from './made-archive.ts'

const SETTINGS = loadRegistryParams(undefined)
const [MISSED, PASSED] = [[false], [true]]

describe('sim/detection: strikes of a node', () => {
  it('five, 225 periods apart, are a slash; nearer ones count once', () => {
    const slashedAt = (spacing: number, audits: number): number | undefined => {
      const node = new JudgedNode(SETTINGS)
      const at = Array.from({ length: audits }, (_, i) => i * spacing).find((period) => node.audit(period, MISSED))
      return at
    }
    assert.equal(slashedAt(225, 5), 900)
    assert.equal(slashedAt(225, 4), undefined)
    // Every second one counts.
    assert.equal(slashedAt(224, 8), undefined)
    assert.equal(slashedAt(224, 9), 8 * 224)
  })

  it('twenty audits take one back, and only when all of them is passed', () => {
    const node = new JudgedNode(SETTINGS)
    node.audit(0, MISSED)
    assert.equal(node.strikePoints, 20)
    node.audit(1, PASSED)
    assert.equal(node.strikePoints, 19)
    node.audit(2, [true, false, true])
    assert.equal(node.strikePoints, 19)
    for (let period = 3; period < 30; period++) node.audit(period, [true, true])
    assert.equal(node.strikePoints, 0)
  })
})

describe('sim/detection: challenges of a node', () => {
  it('come by its turn and interval, eight chunks each, and find what is missing', () => {
    const random = new SimRandom('challenged')
    const archive = new MadeArchive(random.fork('archive'))
    const rhythm = { nodes: 3, challengers: 1, frequencyPeriods: 100, intervalPeriods: 225 }
    const node = new ChallengedNode(archive, { rhythm, challenges: 8 })
    const all = new Set(archive.chunks.map(({ chunkId }) => toHex(chunkId)))
    const [nothing, everything] = [new Set<string>(), all].map((missing) => [
      ...node.listAudits(missing, 2, random.fork('draws')),
    ])
    assert(nothing && everything && nothing.length > 10)
    const periods = nothing.map(({ period }) => period)
    assert.deepEqual(
      periods,
      everything.map(({ period }) => period),
    )
    for (const [i, period] of periods.entries()) assert(i === 0 || period - (periods[i - 1] ?? 0) >= 225)
    assert(nothing.every(({ passed }) => passed.length === 8 && !passed.includes(false)))
    assert(everything.every(({ passed }) => !passed.includes(true)))
  })
})
