import assert from 'node:assert/strict'
import { ArchiveError, type ChallengeTerms } from '../../../core/index.ts'
import { DiskProofs } from '../../../storage-worker/challenge/disk-proofs.ts'
import { TEST_IDENTITY } from '../synthetic-period.ts'

const TERMS: ChallengeTerms = {
  kind: 'challenge',
  samples: 2,
  challenge: {
    chainId: 77n,
    contract: 'AS1',
    challengeId: 'c',
    nodeAddress: 'AU1',
    chunkId: new Uint8Array(32),
    nonce: 1n,
    issuedPeriod: 10,
  },
}

describe('storage-worker/challenge/disk-proofs', () => {
  const failing = (
    code: 'STORE_VALUE_CORRUPT' | 'STORE_READ_FAILED' | 'STORE_CLOSED',
    database: 'index' | 'bodies',
  ) => {
    const fail = (where: string) => {
      if (where === database) throw new ArchiveError(code, `${where}: made`)
    }
    const store = {
      identity: TEST_IDENTITY,
      findChunks: async () => {
        fail('index')
        return [{ period: 1, index: 0, chunkId: TERMS.challenge.chunkId }]
      },
      readChunk: async () => {
        fail('bodies')
        return new Uint8Array(5)
      },
    }
    return new DiskProofs(new Uint8Array(32), { store, withheld: { has: () => false } }).make(TERMS)
  }

  it('fault: a chunk that the disk does not give is not shown, and that is all', async () => {
    for (const code of ['STORE_VALUE_CORRUPT', 'STORE_READ_FAILED'] as const) {
      assert.equal(await failing(code, 'bodies'), undefined)
      assert.equal(await failing(code, 'index'), undefined)
    }
  })

  it('error: without a store none can be shown, and that is told', async () => {
    await assert.rejects(failing('STORE_CLOSED', 'bodies'), { code: 'STORE_CLOSED' })
  })
})
