import { compareBytes, equalBytes } from '../bytes.ts'
import type { ByteReader } from '../codec.ts'
import { ArchiveError } from '../errors.ts'
import { ID_BYTES, parseOperationId } from '../massa/atoms.ts'
import type { Network, Slot } from '../units.ts'
import { type AttestedResults, listAttestedSlots, verifyAttestation } from './attested-results.ts'
import { malformed, readArray } from './json-form.ts'

const MAX_ATTESTATIONS = 16
const OUTCOMES = ['unknown', 'success', 'failed'] as const

/** What somebody says became of an operation. Whether it is so, no signature tells. */
export interface AttestedOutcome {
  readonly outcome: 'success' | 'failed'
  /** In which it was executed. */
  readonly slot: Slot
  /** Public key of the archiver. */
  readonly signer: string
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
  const said = readArray(value, 'attestations', MAX_ATTESTATIONS).map((one) =>
    findOutcome(verifyAttestation(one, network), id),
  )
  if (new Set(said.map(({ signer }) => signer)).size < said.length) throw malformed('one archiver attests twice')
  return said
}

function findOutcome(attested: AttestedResults, id: Uint8Array): AttestedOutcome {
  let found: AttestedOutcome | undefined
  for (const { slot, reader } of listAttestedSlots(attested)) {
    const outcome = findInSlot(reader, id)
    if (outcome) found ??= { outcome, slot, signer: attested.signer }
  }
  if (!found) throw new ArchiveError('CORE_READING_ID_OTHER', 'attested results say nothing of the operation')
  return found
}

function findInSlot(reader: ByteReader, id: Uint8Array): AttestedOutcome['outcome'] | undefined {
  let found: AttestedOutcome['outcome'] | undefined
  let before: Uint8Array | undefined
  for (let count = reader.u32(); count > 0; count--) {
    const one = reader.raw(ID_BYTES)
    const outcome = OUTCOMES[reader.u8()]
    if (before && compareBytes(before, one) >= 0) throw malformed('outcomes of a slot do not ascend by id, each once')
    if (equalBytes(one, id) && outcome !== 'unknown') found = outcome
    before = one
  }
  return found
}
