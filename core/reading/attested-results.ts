import { computeAttestationText } from '../attestation.ts'
import { toBase64 } from '../base64.ts'
import { ByteReader } from '../codec.ts'
import { ArchiveError } from '../errors.ts'
import { formatPublicKey, formatSignature, parsePublicKey, parseSignature } from '../massa/atoms.ts'
import { type SignatureArgument, verifyText } from '../signed-text.ts'
import { type Network, type Period, type Slot, THREAD_COUNT } from '../units.ts'
import { malformed, readBase64, readInteger, readObject } from './json-form.ts'

/** More are not given with an answer: the file of their period has them. */
export const MAX_ATTESTED_BYTES = 4 * 1024 * 1024
/** Of one text in results. */
export const MAX_TEXT_BYTES = 1024
const FORMAT = 1

/** What an archiver signed about executing a period, as answers carry it (docs/FORMAT.md, Execution results). */
export interface AttestationJson {
  readonly period: Period
  /** Base64 of the results of all slots, as they were signed. */
  readonly results: string
  readonly publicKey: string
  readonly signature: string
}

/** Results that somebody signed. */
export interface AttestedResults {
  readonly period: Period
  /** Of all slots. */
  readonly results: Uint8Array
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
 * An attestation of an answer, if it is signed as it is shown.
 *
 * @throws ArchiveError CORE_READING_MALFORMED, CORE_READING_TOO_LARGE, CORE_READING_SIGNATURE_INVALID
 */
export function verifyAttestation(value: unknown, network: Network): AttestedResults {
  const form = readObject(value, 'an attestation', ['period', 'results', 'publicKey', 'signature'])
  const period = readInteger(form.period, 'period of an attestation', Number.MAX_SAFE_INTEGER)
  const results = readBase64(form.results, 'results', MAX_ATTESTED_BYTES)
  const signed = readSignature(form.publicKey, form.signature)
  if (!verifyText(computeAttestationText({ network, period }, results), signed)) {
    throw new ArchiveError('CORE_READING_SIGNATURE_INVALID', 'execution results are not what their archiver signed')
  }
  return { period, results, signer: formatPublicKey(signed.publicKey) }
}

/**
 * Of each slot about which something is known: where its outcomes begin, behind which its events are.
 *
 * @throws ArchiveError CORE_READING_MALFORMED
 */
export function* listAttestedSlots({
  period,
  results,
}: AttestedResults): Generator<{ readonly slot: Slot; readonly reader: ByteReader }> {
  const reader = new ByteReader(results, 'CORE_READING_MALFORMED')
  if (reader.u8() !== FORMAT) throw malformed('results of an unknown format')
  for (let thread = 0; thread < THREAD_COUNT; thread++) {
    const bytes = reader.raw(reader.u32())
    if (bytes.length > 0) yield { slot: { period, thread }, reader: openSlot(reader.nested(bytes)) }
  }
  reader.end()
}

function openSlot(reader: ByteReader): ByteReader {
  if (reader.u8() !== FORMAT) throw malformed('results of an unknown format')
  // Where they are from, and whether all of them are there.
  reader.raw(2)
  reader.string(MAX_TEXT_BYTES)
  return reader
}

function readSignature(publicKey: unknown, signature: unknown): SignatureArgument {
  if (typeof publicKey !== 'string' || typeof signature !== 'string') throw malformed('key or signature is no text')
  try {
    return { publicKey: parsePublicKey(publicKey), signature: parseSignature(signature) }
  } catch (cause) {
    throw new ArchiveError('CORE_READING_MALFORMED', 'a key or signature of an attestation is malformed', {}, cause)
  }
}
