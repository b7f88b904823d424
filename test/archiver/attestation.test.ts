import assert from 'node:assert/strict'
import { attestExecutions, markFromFile, parseAttestedExecutions, unmarkFromFile } from '../../archiver/attestation.ts'
import { encodeExecution } from '../../archiver/execution-results.ts'
import { computeAttestationText, isArchiveError, verifyText } from '../../core/index.ts'

const PLACE = { network: { chainId: 77n, genesisTimestampMs: 1_795_246_964_000n }, period: 9 }
const SEED = new Uint8Array(32).fill(7)
const RESULTS = new Map([
  [4, encodeExecution({ source: 'stream', complete: true, trailHash: 'x', outcomes: [], events: [] })],
])

describe('archiver/attestation', () => {
  it('signs the results together with network and period', () => {
    const bytes = attestExecutions(RESULTS, PLACE, SEED)
    const { executions, attestation } = parseAttestedExecutions(bytes, PLACE)
    assert.equal(executions[4]?.trailHash, 'x')
    assert.ok(attestation)
    const results = bytes.subarray(0, bytes.length - 1 - 33 - 65)
    assert.ok(verifyText(computeAttestationText(PLACE, results), attestation))
  })

  it('leaves results unsigned without a key', () => {
    assert.equal(parseAttestedExecutions(attestExecutions(RESULTS, PLACE), PLACE).attestation, undefined)
  })

  it('says of results from a file that they are, and can take it back; of none there is nothing to say', () => {
    for (const seed of [SEED, undefined]) {
      const bytes = attestExecutions(RESULTS, PLACE, seed)
      const marked = markFromFile(bytes)
      const { isFromFile, attestation } = parseAttestedExecutions(marked, PLACE)
      assert.deepEqual([isFromFile, attestation !== undefined], [true, seed !== undefined])
      assert.equal(parseAttestedExecutions(bytes, PLACE).isFromFile, false)
      assert.deepEqual(markFromFile(marked), marked)
      assert.deepEqual(unmarkFromFile(marked), bytes)
    }
    const nothing = attestExecutions(new Map(), PLACE)
    assert.deepEqual(markFromFile(nothing), nothing)
  })

  it('error: refuses a signature shown for another period, chain or genesis', () => {
    const bytes = attestExecutions(RESULTS, PLACE, SEED)
    const { network } = PLACE
    for (const place of [
      { ...PLACE, period: 10 },
      { ...PLACE, network: { ...network, chainId: 78n } },
      { ...PLACE, network: { ...network, genesisTimestampMs: 1n } },
    ]) {
      assert.throws(
        () => parseAttestedExecutions(bytes, place),
        (error) => isArchiveError(error, 'CORE_SIGNATURE_INVALID'),
      )
    }
  })

  it('error: refuses every flipped byte', () => {
    const bytes = attestExecutions(RESULTS, PLACE, SEED)
    for (let i = 0; i < bytes.length; i++) {
      const flipped = Uint8Array.from(bytes)
      flipped[i] = (flipped[i] ?? 0) ^ 1
      assert.throws(() => parseAttestedExecutions(flipped, PLACE), isArchiveError, `byte ${i}`)
    }
  })

  it('error: refuses a trailing byte, a cut signature and an unknown flag', () => {
    const bytes = attestExecutions(RESULTS, PLACE, SEED)
    const unsigned = attestExecutions(RESULTS, PLACE)
    for (const bad of [Uint8Array.of(...bytes, 0), bytes.subarray(0, -1), unsigned.subarray(0, -1)]) {
      assert.throws(
        () => parseAttestedExecutions(bad, PLACE),
        (error) => isArchiveError(error, 'CORE_BYTES_INVALID'),
      )
    }
    const flagged = Uint8Array.from(unsigned)
    flagged[flagged.length - 1] = 4
    assert.throws(
      () => parseAttestedExecutions(flagged, PLACE),
      (error) => isArchiveError(error, 'CORE_BYTES_INVALID'),
    )
  })
})
