import assert from 'node:assert/strict'
import { describeRepair } from '../../cli/describe-repair.ts'

const QUIET = {
  hashSlots: 1_200,
  standInSlots: 0,
  awayNodes: [],
  isKnown: true,
  missingChunks: 0,
  missingBytes: 0,
  missingForMs: null,
  failedChunks: 0,
  pulledChunks: 0,
}

describe('cli/describe-repair', () => {
  it('says what is to be held, how much of it lacks, and for whom this node stands in', () => {
    for (const [changes, text] of [
      [{}, '1,200 hash slots, all held'],
      [{ absent: 3 }, '1,200 hash slots, held as far as archived, 3 periods not archived'],
      [
        { absent: 1, missingChunks: 2, missingBytes: 9_000 },
        '1,200 hash slots, 2 chunks (9.00 kB) missing, 1 period not archived',
      ],
      [{ isKnown: false }, '1,200 hash slots, being looked through'],
      [{ hashSlots: 0 }, 'nothing to hold'],
      [
        { missingChunks: 12, missingBytes: 3_000_000, missingForMs: 120_000 },
        '1,200 hash slots, 12 chunks (3.00 MB) missing for 2 min 0 s',
      ],
      [
        { missingChunks: 1, missingBytes: 500, missingForMs: 1_000, failedChunks: 1 },
        '1,200 hash slots, 1 chunk (500 B) missing for 1.0 s, 1 of them cannot be had now',
      ],
      [
        { pulledChunks: 5, awayNodes: ['AU1', 'AU2'], standInSlots: 40 },
        '1,200 hash slots, all held, 5 chunks fetched since the start, 2 nodes away, standing in for 40 hash slots',
      ],
    ] as const) {
      assert.equal(
        describeRepair(
          { ...QUIET, ...changes, awayNodes: [...('awayNodes' in changes ? changes.awayNodes : [])] },
          'absent' in changes ? changes.absent : 0,
        ),
        text,
      )
    }
  })

  it('is left out where nothing is assigned to anyone', () => {
    assert.equal(describeRepair(null, 3), undefined)
    assert.equal(describeRepair(undefined, 0), undefined)
  })
})
