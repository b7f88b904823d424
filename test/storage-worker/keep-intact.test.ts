import assert from 'node:assert/strict'
import { encodePeriod } from '../../archiver/index.ts'
import { computeGenesisBlock, encodeBlockRecord, signGenesisBlock, THREAD_COUNT } from '../../core/index.ts'
import { LevelChunkStore } from '../../storage-worker/index.ts'
import { keepIntact } from '../../storage-worker/keep-intact.ts'
import { encodeBodyKey, SEALS } from '../../storage-worker/keyspace.ts'
import { sealValue } from '../../storage-worker/sealed-value.ts'
import { TEST_IDENTITY } from './synthetic-period.ts'
import { openMemoryLevel } from './temp-store.ts'

/** Period 0: the one whose every signature is known. */
function makeGenesisPeriod() {
  const slots = Array.from({ length: THREAD_COUNT }, (_, thread) => {
    const slot = { period: 0, thread }
    const genesis = computeGenesisBlock(slot)
    const { publicKey, content: headerContent } = genesis
    const record = encodeBlockRecord({ publicKey, headerContent, operationIds: [], operations: [] })
    return { kind: 'block' as const, record, seals: signGenesisBlock(genesis, slot).subarray(1), operationCount: 0 }
  })
  const { network, chunkSizeBytes } = TEST_IDENTITY
  return encodePeriod({ network, period: 0, slots, executionResults: Uint8Array.of(1, 2, 3) }, chunkSizeBytes)
}

function flipped(bytes: Uint8Array, at: number): Uint8Array {
  return bytes.map((byte, i) => (i === at ? byte ^ 1 : byte))
}

describe('storage-worker/keep-intact', () => {
  const period = makeGenesisPeriod()
  const last = period.seals.length - 1

  async function storeWith(seals: Uint8Array): Promise<LevelChunkStore> {
    const bodies = await openMemoryLevel('bodies')
    const store = new LevelChunkStore(TEST_IDENTITY, { bodies, index: await openMemoryLevel('index') })
    await store.writePeriod(period)
    await bodies.write([{ type: 'put', key: encodeBodyKey(0, SEALS), value: sealValue(seals) }], { sync: true })
    return store
  }

  it('keeps the seals that are there when every signature verifies, whatever a source gives', async () => {
    const store = await storeWith(period.seals)
    const kept = await keepIntact(store, { ...period, seals: flipped(period.seals, last) })
    assert.deepEqual(kept.period.seals, period.seals)
  })

  it('takes the seals of a source when one signature of those that are there does not verify, or they are others', async () => {
    for (const seals of [flipped(period.seals, last), flipped(period.seals, 17), period.seals.subarray(0, last)]) {
      const store = await storeWith(seals)
      assert.deepEqual((await keepIntact(store, period)).period.seals, period.seals)
    }
  })

  it('keeps execution results, and says when they are gone', async () => {
    const store = await storeWith(period.seals)
    const given = { ...period, executionResults: Uint8Array.of(0) }
    const kept = await keepIntact(store, given)
    assert.deepEqual([kept.period.executionResults, kept.areResultsLost], [period.executionResults, false])
    await store.deletePeriods(0, 0)
    const lost = await keepIntact(store, given)
    assert.deepEqual([lost.period.executionResults, lost.areResultsLost], [given.executionResults, true])
  })
})
