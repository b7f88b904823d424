import assert from 'node:assert/strict'
import {
  computeEraRoot,
  computeHashSlot,
  computeLeafHash,
  computePeriodRoot,
  computePlacementRoot,
  computeTreeLevels,
  computeTreePath,
  ERA_PERIODS,
  type Evidence,
  type EvidenceClaim,
  encodeEvidence,
  encodePlacementLeaf,
  HASH_SLOTS,
  isArchiveError,
  pickPath,
  verifyEvidence,
} from '../../core/index.ts'

/*
 * Faults by name. That core and the registry contract agree is tested in test/sc/evidence.test.ts.
 */

const NETWORK = { chainId: 77n, genesisTimestampMs: 5n }
const CHUNK_ID = new Uint8Array(32).fill(3)
const ERA = 2
const POSITION = 40
const HOLDERS = ['AU1a', 'AU1b']

const manifests = Array.from({ length: ERA_PERIODS }, (_, position) => ({
  network: NETWORK,
  period: ERA * ERA_PERIODS + position,
  bitmap: 1,
  chunks: [0, 1, 2].map((i) => ({ byteLength: 1_048_576, chunkId: i === 1 ? CHUNK_ID : new Uint8Array(32).fill(i) })),
}))
const periodRoots = manifests.map(computePeriodRoot)
const totals = { network: NETWORK, era: ERA, totalBytes: 1000n, totalChunks: 384n }
const holders = Array.from({ length: HASH_SLOTS }, () => HOLDERS)
const placementLevels = computeTreeLevels(holders.map((slot, i) => computeLeafHash(encodePlacementLeaf(i, slot))))
const HONEST: Evidence = {
  era: BigInt(ERA),
  period: BigInt(ERA * ERA_PERIODS + POSITION),
  bitmap: 1,
  chunkCount: 3,
  chunkIndex: 1,
  chunkPath: computeTreePath(manifests[POSITION]?.chunks.map(({ chunkId }) => computeLeafHash(chunkId)) ?? [], 1),
  periodPath: computeTreePath(periodRoots.map(computeLeafHash), POSITION),
  placementEra: 4n,
  holders: HOLDERS,
  placementPath: pickPath(placementLevels, computeHashSlot(CHUNK_ID)),
}
const ANCHOR = {
  root: computeEraRoot(totals, periodRoots),
  placementRoot: computePlacementRoot(NETWORK, 4, holders),
  totalBytes: totals.totalBytes,
  totalChunks: totals.totalChunks,
}
const CLAIM: EvidenceClaim = {
  network: NETWORK,
  chunkId: CHUNK_ID,
  nodeAddress: 'AU1b',
  registeredEra: 3n,
  currentEra: 5n,
  placementLagEras: 1,
  findAnchor: (era) => (era === 2n || era === 3n ? ANCHOR : undefined),
}

function refuse(evidence: Partial<Evidence>, claim: Partial<EvidenceClaim>, fault: string): void {
  assert.throws(
    () => verifyEvidence(encodeEvidence({ ...HONEST, ...evidence }), { ...CLAIM, ...claim }),
    (error) => isArchiveError(error, 'CORE_EVIDENCE_INVALID') && error.context.fault === fault,
  )
}

describe('core/evidence', () => {
  it('accepts what leads to anchored roots, of any holder and through the whole window', () => {
    for (const nodeAddress of HOLDERS) {
      for (const currentEra of [5n, 6n]) verifyEvidence(encodeEvidence(HONEST), { ...CLAIM, nodeAddress, currentEra })
    }
  })

  it('names an era that is not anchored', () => {
    refuse({}, { findAnchor: (era) => (era === 3n ? ANCHOR : undefined) }, 'era-unknown')
    refuse({}, { findAnchor: (era) => (era === 2n ? ANCHOR : undefined) }, 'era-unknown')
  })

  it('limit: names a placement an era too young or too old', () => {
    refuse({}, { currentEra: 4n }, 'placement-age')
    refuse({}, { currentEra: 7n }, 'placement-age')
    refuse({ placementEra: 0n }, { registeredEra: 0n, currentEra: 1n }, 'placement-age')
  })

  it('limit: names a placement of the era in which the node registered', () => {
    refuse({}, { registeredEra: 4n }, 'placement-age')
    refuse({}, { registeredEra: 5n }, 'placement-age')
  })

  it('names a node that does not hold the chunk', () => {
    refuse({}, { nodeAddress: 'AU1c' }, 'not-holder')
    refuse({}, { nodeAddress: 'AU1' }, 'not-holder')
  })

  it('refuses another chunk, network, period or number of chunks', () => {
    refuse({}, { chunkId: new Uint8Array(32).fill(4) }, 'malformed')
    refuse({}, { network: { ...NETWORK, chainId: 78n } }, 'malformed')
    refuse({ period: HONEST.period + 1n }, {}, 'malformed')
    refuse({ period: HONEST.period + 128n }, {}, 'malformed')
    refuse({ chunkCount: 4 }, {}, 'malformed')
    refuse({ chunkIndex: 3 }, {}, 'malformed')
    refuse({ holders: ['AU1b', 'AU1a'] }, {}, 'malformed')
  })

  it('refuses a trailing byte and every truncation', () => {
    const bytes = encodeEvidence(HONEST)
    for (let length = 0; length < bytes.length; length += 7) {
      assert.throws(() => verifyEvidence(bytes.slice(0, length), CLAIM), /evidence refused/)
    }
    assert.throws(() => verifyEvidence(Buffer.concat([bytes, new Uint8Array(1)]), CLAIM), /evidence refused/)
  })
})
