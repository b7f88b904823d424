import assert from 'node:assert/strict'
import {
  type AttestationJson,
  attestationToJson,
  computeAttestationText,
  computePublicKey,
  concatBytes,
  type ErrorCode,
  formatOperationId,
  formatPublicKey,
  isArchiveError,
  MAX_ATTESTED_BYTES,
  parseOperationId,
  signText,
  verifyOutcomes,
} from '../../../core/index.ts'
import { attest } from './made-attestation.ts'
import { NETWORK } from './made-history.ts'

const SEEDS = [new Uint8Array(32).fill(3), new Uint8Array(32).fill(4)] as const
const [RIGHT, WRONG, NEVER, OTHER] = [1, 2, 3, 4].map((fill) =>
  formatOperationId(Uint8Array.from({ length: 33 }, (_, i) => (i === 0 ? 0 : fill))),
) as string[] as [string, string, string, string]

const SLOT = { period: 41, thread: 7 }
const OUTCOMES = [
  { operationId: RIGHT, outcome: 'success' },
  { operationId: WRONG, outcome: 'failed' },
  { operationId: NEVER, outcome: 'unknown' },
] as const

describe('core/reading/attested-outcome', () => {
  const [ours, theirs] = SEEDS.map((seed) => attest(seed, SLOT, OUTCOMES)) as [AttestationJson, AttestationJson]
  const signerOf = (seed: Uint8Array) => formatPublicKey(computePublicKey(concatBytes(Uint8Array.of(0), seed)))
  const refuses = (value: unknown, code: ErrorCode, id = RIGHT) =>
    assert.throws(
      () => verifyOutcomes(value, NETWORK, id),
      (error) => isArchiveError(error, code),
    )

  it('tells who says what, and of which slot', () => {
    const slot = SLOT
    assert.deepEqual(verifyOutcomes([ours, theirs], NETWORK, RIGHT), [
      { outcome: 'success', slot, signer: signerOf(SEEDS[0]) },
      { outcome: 'success', slot, signer: signerOf(SEEDS[1]) },
    ])
    assert.deepEqual(verifyOutcomes([ours], NETWORK, WRONG), [{ outcome: 'failed', slot, signer: signerOf(SEEDS[0]) }])
    assert.deepEqual(verifyOutcomes([], NETWORK, RIGHT), [])
  })

  it('error: results in which nothing is said of the operation', () => {
    refuses([ours], 'CORE_READING_ID_OTHER', OTHER)
    refuses([ours], 'CORE_READING_ID_OTHER', NEVER)
  })

  it('error: each byte of the results, of another period, network or signer', () => {
    const bytes = Buffer.from(ours.results, 'base64')
    for (let at = 0; at < bytes.length; at += 5) {
      const changed = Uint8Array.from(bytes)
      changed[at] = (changed[at] ?? 0) ^ 1
      const results = Buffer.from(changed).toString('base64')
      refuses([{ ...ours, results }], 'CORE_READING_SIGNATURE_INVALID')
    }
    refuses([{ ...ours, period: SLOT.period + 1 }], 'CORE_READING_SIGNATURE_INVALID')
    refuses([{ ...ours, publicKey: theirs.publicKey }], 'CORE_READING_SIGNATURE_INVALID')
    refuses([{ ...ours, signature: theirs.signature }], 'CORE_READING_SIGNATURE_INVALID')
    const other = { ...NETWORK, chainId: 78n }
    assert.throws(() => verifyOutcomes([ours], other, RIGHT), { code: 'CORE_READING_SIGNATURE_INVALID' })
  })

  it('error: an operation that a slot lists twice, whatever of the two is said first', () => {
    const [said, other] = [
      { operationId: RIGHT, outcome: 'success' },
      { operationId: RIGHT, outcome: 'unknown' },
    ] as const
    for (const outcomes of [
      [said, other],
      [other, said],
      [said, said],
    ]) {
      refuses([attest(SEEDS[0], SLOT, outcomes)], 'CORE_READING_MALFORMED')
      refuses(
        [attest(SEEDS[0], SLOT, [...outcomes, { operationId: OTHER, outcome: 'failed' }])],
        'CORE_READING_MALFORMED',
        OTHER,
      )
    }
  })

  it('error: results of another form, signed as they are: outcomes out of order, something behind the last slot', () => {
    const right = Buffer.from(ours.results, 'base64')
    const first = right.indexOf(parseOperationId(RIGHT))
    const disordered = Buffer.from(right)
    right.copy(disordered, first + 34, first, first + 34)
    right.copy(disordered, first, first + 34, first + 68)
    for (const results of [disordered, concatBytes(right, Uint8Array.of(0))]) {
      const by = signText(SEEDS[0], computeAttestationText({ network: NETWORK, period: SLOT.period }, results))
      refuses([attestationToJson(SLOT.period, results, by)], 'CORE_READING_MALFORMED')
    }
  })

  it('error: one archiver that speaks twice', () => refuses([ours, ours], 'CORE_READING_MALFORMED'))

  it('error: another form', () => {
    const { signature, ...unsigned } = ours
    for (const value of [undefined, {}, [1], [unsigned], [{ ...ours, more: 1 }], [{ ...ours, publicKey: 'P1' }]]) {
      refuses(value, 'CORE_READING_MALFORMED')
    }
    refuses([{ ...ours, signature: 5 }], 'CORE_READING_MALFORMED')
    refuses([{ ...ours, results: `${ours.results}=` }], 'CORE_READING_MALFORMED')
    refuses(Array(17).fill(ours), 'CORE_READING_TOO_LARGE')
    refuses([{ ...ours, results: 'A'.repeat(2 * MAX_ATTESTED_BYTES) }], 'CORE_READING_TOO_LARGE')
  })
})
