import { computeAttestationText } from '../attestation.ts'
import { toBase64 } from '../base64.ts'
import { equalBytes } from '../bytes.ts'
import { ByteReader } from '../codec.ts'
import { ArchiveError } from '../errors.ts'
import {
  formatPublicKey,
  formatSignature,
  ID_BYTES,
  parseOperationId,
  parsePublicKey,
  parseSignature,
} from '../massa/atoms.ts'
import { type SignatureArgument, verifyText } from '../signed-text.ts'
import { type Network, type Period, type Slot, THREAD_COUNT } from '../units.ts'
import { malformed, readArray, readBase64, readInteger, readObject } from './json-form.ts'

/** More are not given with an answer: the file of their period has them. */
export const MAX_ATTESTED_BYTES = 4 * 1024 * 1024
const MAX_ATTESTATIONS = 16
const MAX_TEXT_BYTES = 1024
const FORMAT = 1
const OUTCOMES = ['unknown', 'success', 'failed'] as const

/** What an archiver signed about executing a period, as answers carry it (docs/FORMAT.md, Execution results). */
export interface AttestationJson {
  readonly period: Period
  /** Base64 of the results of all slots, as they were signed. */
  readonly results: string
  readonly publicKey: string
  readonly signature: string
}

/** What somebody says became of an operation. Whether it is so, no signature tells. */
export interface AttestedOutcome {
  readonly outcome: 'success' | 'failed'
  /** In which it was executed. */
  readonly slot: Slot
  /** Public key of the archiver. */
  readonly signer: string
}

export function attestationToJson(period: Period, results: Uint8Array, by: SignatureArgument): AttestationJson {
  return {
    period,
    results: toBase64(results),
    publicKey: formatPublicKey(by.publicKey),
    signature: formatSignature(by.signature),
  }
}

/**
 * Who says what became of an operation: each attestation has to be signed as it is shown, for this network, and name the
 * operation with an outcome.
 *
 * @param value - `attestations` of an answer
 * @returns one for each signer
 * @throws ArchiveError CORE_READING_MALFORMED, CORE_READING_TOO_LARGE, CORE_READING_SIGNATURE_INVALID, CORE_READING_ID_OTHER
 */
export function verifyOutcomes(value: unknown, network: Network, operationId: string): AttestedOutcome[] {
  const id = parseOperationId(operationId)
  const said = readArray(value, 'attestations', MAX_ATTESTATIONS).map((one) => verifyAttestation(one, network, id))
  if (new Set(said.map(({ signer }) => signer)).size < said.length) throw malformed('one archiver attests twice')
  return said
}

function verifyAttestation(value: unknown, network: Network, id: Uint8Array): AttestedOutcome {
  const form = readObject(value, 'an attestation', ['period', 'results', 'publicKey', 'signature'])
  const period = readInteger(form.period, 'period of an attestation', Number.MAX_SAFE_INTEGER)
  const results = readBase64(form.results, 'results', MAX_ATTESTED_BYTES)
  const signed = readSignature(form.publicKey, form.signature)
  if (!verifyText(computeAttestationText({ network, period }, results), signed)) {
    throw new ArchiveError('CORE_READING_SIGNATURE_INVALID', 'execution results are not what their archiver signed')
  }
  const found = findOutcome(results, id)
  if (!found) throw new ArchiveError('CORE_READING_ID_OTHER', 'attested results say nothing of the operation')
  const { thread, outcome } = found
  return { outcome, slot: { period, thread }, signer: formatPublicKey(signed.publicKey) }
}

function readSignature(publicKey: unknown, signature: unknown): SignatureArgument {
  if (typeof publicKey !== 'string' || typeof signature !== 'string') throw malformed('key or signature is no text')
  try {
    return { publicKey: parsePublicKey(publicKey), signature: parseSignature(signature) }
  } catch (cause) {
    throw new ArchiveError('CORE_READING_MALFORMED', 'a key or signature of an attestation is malformed', {}, cause)
  }
}

/** Of the results of a period, what is said of one operation; events are passed over. */
function findOutcome(
  results: Uint8Array,
  id: Uint8Array,
): { readonly thread: number; readonly outcome: AttestedOutcome['outcome'] } | undefined {
  const reader = new ByteReader(results, 'CORE_READING_MALFORMED')
  if (reader.u8() !== FORMAT) throw malformed('results of an unknown format')
  let found: { thread: number; outcome: AttestedOutcome['outcome'] } | undefined
  for (let thread = 0; thread < THREAD_COUNT; thread++) {
    const bytes = reader.raw(reader.u32())
    const outcome = bytes.length === 0 ? undefined : findInSlot(reader.nested(bytes), id)
    if (outcome) found ??= { thread, outcome }
  }
  reader.end()
  return found
}

function findInSlot(reader: ByteReader, id: Uint8Array): AttestedOutcome['outcome'] | undefined {
  if (reader.u8() !== FORMAT) throw malformed('results of an unknown format')
  // Where they are from, and whether all of them are there.
  reader.raw(2)
  reader.string(MAX_TEXT_BYTES)
  for (let count = reader.u32(); count > 0; count--) {
    const isIt = equalBytes(reader.raw(ID_BYTES), id)
    const outcome = OUTCOMES[reader.u8()]
    if (isIt) return outcome === 'unknown' ? undefined : outcome
  }
  return undefined
}
