import assert from 'node:assert/strict'
import { parseAttestedExecutions } from '../../../archiver/attestation.ts'
import { attestExecutions, encodeExecution } from '../../../archiver/index.ts'
import {
  type AttestationJson,
  attestationToJson,
  computePublicKey,
  concatBytes,
  type ErrorCode,
  formatAddress,
  formatOperationId,
  formatPublicKey,
  isArchiveError,
  verifyEvents,
} from '../../../core/index.ts'
import { NETWORK } from './made-history.ts'

const SEEDS = [new Uint8Array(32).fill(3), new Uint8Array(32).fill(4)] as const
const [ADDRESS, OTHER] = [5, 6].map((fill) => formatAddress(new Uint8Array(34).fill(fill, 2))) as [string, string]
const OPERATION = formatOperationId(new Uint8Array(33).fill(7, 1))
const MIB = 1024 * 1024

/** A period with events of one slot: each with these in its call stack, and some bytes. */
function attest(
  period: number,
  events: readonly { readonly callStack: readonly string[]; readonly bytes?: number }[],
  seed: Uint8Array = SEEDS[0],
): AttestationJson {
  const made = events.map(({ callStack, bytes = 2 }, indexInSlot) => {
    const data = new Uint8Array(bytes).fill(indexInSlot)
    return { indexInSlot, callStack, operationId: indexInSlot === 0 ? '' : OPERATION, failed: indexInSlot === 1, data }
  })
  const outcomes = [{ operationId: OPERATION, outcome: 'success' }] as const
  const execution = encodeExecution({ source: 'stream', complete: true, trailHash: 'T', outcomes, events: made })
  const place = { network: NETWORK, period }
  const signed = parseAttestedExecutions(attestExecutions(new Map([[9, execution]]), place, seed), place)
  return attestationToJson(period, signed.results, signed.attestation ?? assert.fail('not signed'))
}

describe('core/reading/attested-events', () => {
  const older = attest(41, [{ callStack: [ADDRESS] }])
  const newer = attest(42, [{ callStack: [OTHER] }, { callStack: [OTHER, ADDRESS] }, { callStack: [ADDRESS] }])
  const refuses = (value: unknown, code: ErrorCode, address = ADDRESS) =>
    assert.throws(
      () => verifyEvents(value, NETWORK, address),
      (error) => isArchiveError(error, code),
    )

  it('tells all events of an address in the attested periods, the newest first, and who says so', () => {
    const signer = formatPublicKey(computePublicKey(concatBytes(Uint8Array.of(0), SEEDS[0])))
    const at = (period: number) => ({ slot: { period, thread: 9 }, signer })
    assert.deepEqual(verifyEvents([older, newer], NETWORK, ADDRESS), [
      { ...at(42), indexInSlot: 2, callStack: [ADDRESS], operationId: OPERATION, failed: false, data: '0202' },
      { ...at(42), indexInSlot: 1, callStack: [OTHER, ADDRESS], operationId: OPERATION, failed: true, data: '0101' },
      { ...at(41), indexInSlot: 0, callStack: [ADDRESS], operationId: null, failed: false, data: '0000' },
    ])
    assert.deepEqual(verifyEvents([], NETWORK, ADDRESS), [])
  })

  it('error: each byte of the results, another period, network or signer', () => {
    const bytes = Buffer.from(newer.results, 'base64')
    for (let at = 0; at < bytes.length; at += 9) {
      const changed = Uint8Array.from(bytes)
      changed[at] = (changed[at] ?? 0) ^ 1
      refuses([{ ...newer, results: Buffer.from(changed).toString('base64') }], 'CORE_READING_SIGNATURE_INVALID')
    }
    refuses([{ ...newer, period: 43 }], 'CORE_READING_SIGNATURE_INVALID')
    refuses([{ ...newer, signature: older.signature }], 'CORE_READING_SIGNATURE_INVALID')
    const other = { ...NETWORK, chainId: 78n }
    assert.throws(() => verifyEvents([newer], other, ADDRESS), { code: 'CORE_READING_SIGNATURE_INVALID' })
  })

  it('error: one archiver that attests a period twice; two archivers may', () => {
    refuses([older, newer, older], 'CORE_READING_MALFORMED')
    assert.equal(verifyEvents([older, attest(41, [{ callStack: [ADDRESS] }], SEEDS[1])], NETWORK, ADDRESS).length, 2)
  })

  it('error: another form, and no address', () => {
    for (const value of [undefined, {}, [1], [{ ...older, more: 1 }]]) refuses(value, 'CORE_READING_MALFORMED')
    refuses([older], 'CORE_BASE58_INVALID', 'AU1')
  })

  it('limit: 100 attestations with 4 MiB of results together', () => {
    refuses(Array(101).fill(older), 'CORE_READING_TOO_LARGE')
    const large = (period: number, bytes: number) =>
      attest(
        period,
        [0, 1].map(() => ({ callStack: [ADDRESS], bytes })),
      )
    const [half, more] = [large(1, MIB - 400), large(2, MIB - 400)]
    assert.equal(verifyEvents([half, more], NETWORK, ADDRESS).length, 4)
    refuses([half, more, older, newer, attest(3, [{ callStack: [ADDRESS], bytes: 1000 }])], 'CORE_READING_TOO_LARGE')
  })
})
