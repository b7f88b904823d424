import assert from 'node:assert/strict'
import type { HavePage } from '../../../protocol-handler/index.ts'
import { NodeClaims, readNodeClaimsInSteps } from '../../../storage-worker/cluster/node-claims.ts'
import { runInSlices } from '../../../storage-worker/placement/run-in-slices.ts'
import { NETWORK } from '../replication/made-archive.ts'

function makePage(page: Partial<HavePage>): HavePage {
  return {
    network: NETWORK,
    headPeriod: 1_000,
    firstEra: 0,
    fromHashSlot: 0,
    endHashSlot: 16_384,
    held: [],
    exceptions: [],
    missingPeriods: [],
    ...page,
  }
}

const at = (era: number, last: number, first = era * 128) => ({ era, first, last })

/** What is read of a have-map. */
async function read(...pages: HavePage[]): Promise<NodeClaims> {
  return (await runInSlices(readNodeClaimsInSteps(pages))) ?? assert.fail('not believed')
}

describe('storage-worker/cluster/node-claims', () => {
  it('covers the eras of a hash slot up to its end, but for the exceptions, from the first era on', async () => {
    const held = [
      { hashSlot: 5, endEra: 7 },
      { hashSlot: 9, endEra: 2 },
    ]
    const claims = await read(makePage({ firstEra: 2, held, exceptions: [{ hashSlot: 5, era: 4 }] }))
    const covered = [1, 2, 3, 4, 5, 6, 7].map((era) => claims.covers(5, at(era, 100)))
    assert.deepEqual(covered, [false, true, true, false, true, true, false])
    assert.deepEqual([claims.tells(5), claims.tells(9), claims.tells(6)], [true, false, false])
    assert.equal(claims.covers(6, at(3, 100)), false)
  })

  it('covers nothing behind the newest period that the node had', async () => {
    const pages = [
      makePage({ headPeriod: 300, endHashSlot: 10, held: [{ hashSlot: 5, endEra: 3 }] }),
      makePage({ headPeriod: 310, fromHashSlot: 10, held: [{ hashSlot: 15, endEra: 3 }] }),
    ]
    const claims = await read(...pages)
    assert.equal(claims.headPeriod, 300)
    assert.deepEqual(
      [claims.covers(5, at(2, 300)), claims.covers(5, at(2, 301)), claims.covers(15, at(2, 300))],
      [true, false, true],
    )
  })

  it('covers nothing that reaches into missing periods, and the rest of their era', async () => {
    const held = [{ hashSlot: 5, endEra: 3 }]
    const claims = await read(makePage({ held, missingPeriods: [{ fromPeriod: 140, endPeriod: 150 }] }))
    assert.deepEqual(claims.missingPeriods, [{ fromPeriod: 140, endPeriod: 150 }])
    const covered = [at(1, 139), at(1, 140), at(1, 255), at(1, 149, 149), at(1, 255, 150), at(2, 300)]
    assert.deepEqual(
      covered.map((part) => claims.covers(5, part)),
      [true, false, false, false, true, true],
    )
  })

  it('covers nothing before the first period of the archive', () => {
    const claims = new NodeClaims([makePage({})], 8)
    for (const _ of claims.take(makePage({ held: [{ hashSlot: 5, endEra: 2 }] })));
    assert.deepEqual([claims.covers(5, at(0, 127)), claims.covers(5, at(0, 127, 8))], [false, true])
  })

  it('a node without a map covers nothing, and tells of no newest period', () => {
    const claims = new NodeClaims([])
    assert.equal(claims.covers(5, at(0, 0)), false)
    assert.equal(claims.headPeriod, undefined)
  })

  it('limit: a map with more exceptions than an honest one is not believed', async () => {
    const exceptionsOf = (count: number) => Array.from({ length: count }, (_, era) => ({ hashSlot: 5, era }))
    const held = [{ hashSlot: 5, endEra: 1_000_000 }]
    const most = await read(makePage({ held, exceptions: exceptionsOf(262_144) }))
    assert.deepEqual([most.covers(5, at(262_143, 0)), most.covers(5, at(262_144, 0))], [false, true])
    const tooMany = readNodeClaimsInSteps([makePage({ held, exceptions: exceptionsOf(262_145) })])
    assert.equal(await runInSlices(tooMany), undefined)
  })
})
